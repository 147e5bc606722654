// Any bytes either are refused with an Error or become an array that survives writing and reading.
#include "coppice/formats/npy.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>

#include "coppice/base/error.hpp"

namespace {
using coppice::tensor::Tensor;

std::optional<Tensor> read(std::span<const std::byte> bytes) {
  try {
    return coppice::formats::read_npy(coppice::tensor::Bytes::copy(bytes), "input");
  } catch (const coppice::Error&) {
    return std::nullopt;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::optional<Tensor> tensor = read(std::as_bytes(std::span(data, size)));
  if (!tensor) return 0;
  const std::string written = coppice::formats::write_npy_bytes(*tensor);
  const std::optional<Tensor> again = read(std::as_bytes(std::span(written)));
  const bool same =
      again && again->dtype == tensor->dtype && again->shape == tensor->shape &&
      again->bytes.size() == tensor->bytes.size() &&
      (tensor->bytes.size() == 0 || std::memcmp(again->bytes.data(), tensor->bytes.data(), tensor->bytes.size()) == 0);
  if (!same) {
    std::fprintf(stderr, "what was written reads differently\n");
    std::abort();
  }
  return 0;
}
