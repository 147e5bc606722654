// Whatever can be read can be analysed and cut, or is refused with an Error; what was cut can be written and read
// again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/cut.hpp"

using namespace coppice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  graph::Model cut;
  try {
    const auto bytes = tensor::Bytes::copy(std::as_bytes(std::span(data, size)));
    const pruning::Prepared prepared = pruning::prepare(formats::read_onnx(bytes, "input"));
    std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
    for (const coupling::Group& group : prepared.couplings.groups())
      for (std::size_t i = 1; i < group.units.size(); i += 2) removed[static_cast<std::size_t>(group.units[i])] = 1;
    (void)pruning::count(prepared, removed);
    (void)pruning::inexactness(prepared, removed);
    (void)pruning::twin(prepared, removed);
    cut = pruning::cut(prepared, removed);
  } catch (const Error&) {
    return 0;
  }
  const std::string bytes = formats::write_onnx_bytes(cut);
  try {
    (void)formats::read_onnx(tensor::Bytes::copy(std::as_bytes(std::span(bytes))), "cut");
  } catch (const Error& error) {
    std::fprintf(stderr, "what was cut can't be read: %s\n", error.what());
    std::abort();
  }
  return 0;
}
