// Any bytes either are refused with an Error or are a packed checkpoint or model whose tensors can be expanded, and a
// model that survives packing again.
#include "coppice/formats/packed.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/packed/parts.hpp"

namespace {
using namespace coppice::formats;

void expand_all(const SafetensorsFile& file) {
  for (const SafetensorsEntry& entry : file.entries()) {
    if (!entry.name.ends_with(".compressed")) continue;
    try {
      const packed_detail::StoredTensor stored(file, entry.name.substr(0, entry.name.size() - 11));
      if (stored.whole()) continue;
      coppice::tensor::Buffer out(static_cast<std::size_t>(stored.bytes()));
      stored.expand(out.span());
    } catch (const coppice::Error&) {
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<SafetensorsFile> file;
  try {
    file.emplace(coppice::tensor::Bytes::copy(std::as_bytes(std::span(data, size))), "input");
  } catch (const coppice::Error&) {
    return 0;
  }
  expand_all(*file);
  try {
    const coppice::graph::Model model = unpack_model(*file);
    std::size_t bytes = 0;
    for (const auto& initializer : model.graph.initializers) bytes += initializer.tensor.bytes.size();
    if (bytes > std::size_t{1} << 24) return 0;  // sparse initializers in the graph may be large
    const std::string written = write_onnx_bytes(model);
    if (pack_model(model, "").bytes_after == 0 || written.empty()) std::abort();
  } catch (const coppice::Error&) {
  }
  return 0;
}
