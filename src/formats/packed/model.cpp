#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/formats/packed.hpp"

#include "formats/packed/parts.hpp"

namespace coppice::formats {
namespace {
using namespace packed_detail;

// From here on a weight stands apart from the graph.
constexpr std::size_t large_from = 1024;

std::string_view name_of(const graph::Model& model, const graph::Initializer& initializer) {
  return model.graph.name_of(initializer.value);
}

bool stands_apart(const graph::Model& model, const graph::Initializer& initializer) {
  const std::string_view name = name_of(model, initializer);
  return initializer.tensor.bytes.size() >= large_from && !safetensors_type(initializer.tensor.dtype).empty() &&
         initializer.tensor.dtype != tensor::DType::float4e2m1 && name != graph_name && name != "__metadata__";
}

/// The graph without these weights, which keep their places and types but have no elements.
tensor::Bytes bytes_of_graph(graph::Model model) {
  for (graph::Initializer& initializer : model.graph.initializers)
    if (stands_apart(model, initializer)) initializer.tensor = {initializer.tensor.dtype, {0}, {}, nullptr};
  const std::string text = write_onnx_bytes(model);
  return tensor::Bytes::copy(std::as_bytes(std::span(text)));
}

Part graph_part(const graph::Model& model) {
  Part out;
  out.bytes = bytes_of_graph(model);
  out.entry.name = graph_name;
  out.entry.dtype = tensor::DType::uint8;
  out.entry.shape = {static_cast<std::int64_t>(out.bytes.size())};
  return out;
}

Part weight_part(std::string_view name, const tensor::Tensor& tensor) {
  Part out;
  out.entry.name = name;
  out.entry.dtype = tensor.dtype;
  out.entry.shape = tensor.shape;
  out.bytes = tensor.bytes;
  return out;
}

SafetensorsLayout layout_of(const graph::Model& model, const std::vector<Part>& parts) {
  nlohmann::json beside = nlohmann::json::array();
  for (const graph::Initializer& initializer : model.graph.initializers)
    if (initializer.external) beside.push_back(name_of(model, initializer));
  SafetensorsMetadata metadata{{std::string(marker_key), std::string(model_marker)}};
  if (!beside.empty())
    metadata.emplace_back(beside_key, beside.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  std::vector<SafetensorsEntry> entries;
  for (const Part& part : parts) append_entries(part, entries);
  return SafetensorsLayout::of(std::move(entries), std::move(metadata));
}

std::vector<std::string> names_beside(const SafetensorsFile& file) {
  const auto text = metadata_text(file.layout(), beside_key);
  if (!text) return {};
  const nlohmann::json list = nlohmann::json::parse(*text, nullptr, false);
  std::vector<std::string> out;
  if (list.is_array()) {
    for (const nlohmann::json& name : list)
      if (name.is_string()) out.push_back(name.get<std::string>());
  }
  if (!list.is_array() || out.size() != list.size())
    throw Error("metadata " + std::string(beside_key) + ": expected a list of names");
  std::sort(out.begin(), out.end());
  return out;
}

tensor::Bytes read_bytes(const std::shared_ptr<const SafetensorsFile>& file, const std::string& name) {
  const StoredTensor stored(*file, name);
  if (const auto whole = stored.whole()) return *whole;
  const auto size = static_cast<std::size_t>(stored.bytes());
  return tensor::Bytes::later(size, [file, name, size] {
    tensor::Buffer out(size);
    try {
      StoredTensor(*file, name).expand(out.span());
    } catch (const Error& error) {
      throw Error(file->path() + ": " + error.what());
    }
    return std::move(out).freeze();
  });
}

graph::Model read(const std::shared_ptr<const SafetensorsFile>& file, PackReport& report) {
  if (packed_kind(*file) != Packed::model) throw Error("expected a model that coppice pack wrote");
  const auto at = file->find(graph_name);
  if (!at || file->entries()[*at].dtype != tensor::DType::uint8)
    throw Error("expected the tensor " + std::string(graph_name) + " of U8");
  graph::Model out = read_onnx(file->bytes(*at), std::string(graph_name));
  const std::vector<std::string> beside = names_beside(*file);
  std::size_t used = 1;
  for (graph::Initializer& initializer : out.graph.initializers) {
    const std::string name(name_of(out, initializer));
    initializer.external = std::binary_search(beside.begin(), beside.end(), name);
    if (initializer.tensor.shape != tensor::Shape{0} || name == graph_name ||
        (!file->find(name) && !file->find(name + ".compressed")))
      continue;
    const StoredTensor stored(*file, name);
    if (stored.dtype() != initializer.tensor.dtype)
      throw Error("tensor \"" + name + "\": expected " + std::string(tensor::name(initializer.tensor.dtype)) +
                  ", as in the graph, found " + stored.type());
    initializer.tensor.shape = stored.shape();
    initializer.tensor.bytes = read_bytes(file, name);
    used += stored.entries();
    ++report.tensors;
    report.packed += stored.entries() > 1;
  }
  if (used != file->entries().size())
    throw Error("expected " + std::to_string(used) + " tensors, as the graph asks for, found " +
                std::to_string(file->entries().size()));
  out.source = file->path();
  out.source_bytes = file->layout().file_bytes();
  return out;
}

}  // namespace

PackReport pack_model(const graph::Model& model, const std::string& target, base::Progress* progress) {
  base::Progress silent;
  base::Progress& told = progress ? *progress : silent;
  std::vector<Part> parts{graph_part(model)};
  for (const graph::Initializer& initializer : model.graph.initializers)
    if (stands_apart(model, initializer)) parts.push_back(weight_part(name_of(model, initializer), initializer.tensor));
  PackReport report{.tensors = parts.size() - 1, .bytes_before = model.source_bytes};
  Names names;
  add_names(parts, names);
  std::for_each(parts.begin() + 1, parts.end(), [&](Part& part) { choose(part, names); });
  const SafetensorsLayout layout = layout_of(model, parts);
  for (const Part& part : parts) report.packed += part.filled.has_value();
  report.bytes_after = layout.file_bytes();
  if (target.empty()) return report;
  told.begin("write", report.bytes_after);
  SafetensorsWriter writer(target, layout);
  std::uint64_t done = 0;
  for (const Part& part : parts) {
    write_part(part, writer);
    told.advance(done += part.bytes.size());
  }
  writer.commit();
  told.end();
  return report;
}

graph::Model unpack_model(const SafetensorsFile& packed, PackReport* report) {
  PackReport unread;
  try {
    return read(std::make_shared<const SafetensorsFile>(packed), report ? *report : unread);
  } catch (const Error& error) {
    throw Error(packed.path() + ": " + error.what());
  }
}

}  // namespace coppice::formats
