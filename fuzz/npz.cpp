// Any bytes either are refused with an Error or list arrays, each of which can be read or is refused.
#include "coppice/formats/npz.hpp"

#include <cstdint>
#include <span>

#include "coppice/base/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const coppice::formats::NpzFile file(coppice::tensor::Bytes::copy(std::as_bytes(std::span(data, size))), "input");
    for (const std::string& name : file.names()) {
      try {
        file.read(name);
      } catch (const coppice::Error&) {
      }
    }
  } catch (const coppice::Error&) {
  }
  return 0;
}
