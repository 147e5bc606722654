// Any bytes, gzip or not, either are refused with an Error or become a tensor of the size that its shape tells.
#include "coppice/formats/idx.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "coppice/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coppice;
  try {
    const tensor::Tensor tensor = formats::read_idx(tensor::Bytes::copy(std::as_bytes(std::span(data, size))), "input");
    if (tensor.bytes.size() != tensor::byte_size(tensor.dtype, tensor.elements())) {
      std::fprintf(stderr, "the tensor has other bytes than its shape tells\n");
      std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}
