// Any bytes either are refused with an Error or become a model that survives writing and reading: the second writing
// gives the bytes of the first.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/graph/passes.hpp"

namespace {
using coppice::graph::Model;

std::optional<Model> read(std::span<const std::byte> bytes) {
  try {
    return coppice::formats::read_onnx(coppice::tensor::Bytes::copy(bytes), "input");
  } catch (const coppice::Error&) {
    return std::nullopt;
  }
}

/// A few bytes of sparse initializers may stand for a gigabyte, which takes long to write.
bool large(const Model& model) {
  std::size_t bytes = 0;
  for (const auto& initializer : model.graph.initializers) bytes += initializer.tensor.bytes.size();
  return bytes > std::size_t{1} << 24;
}

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    coppice::formats::read_tensor_proto(coppice::tensor::Bytes::copy(std::as_bytes(std::span(data, size))), "input");
  } catch (const coppice::Error&) {
  }
  std::optional<Model> model = read(std::as_bytes(std::span(data, size)));
  if (!model || large(*model)) return 0;
  const std::string first = coppice::formats::write_onnx_bytes(*model);
  const std::optional<Model> again = read(std::as_bytes(std::span(first)));
  if (!again) broken("what was written can't be read");
  if (coppice::formats::write_onnx_bytes(*again) != first) broken("two writings of one model differ");
  const std::string sparse = write_onnx_bytes(*model, coppice::formats::Encoding::sparse_initializer);
  if (!read(std::as_bytes(std::span(sparse)))) broken("what was written sparsely can't be read");
  try {
    coppice::graph::inline_functions(*model);
  } catch (const coppice::Error&) {
  }
  return 0;
}
