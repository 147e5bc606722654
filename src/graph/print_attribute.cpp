#include "graph/print_attribute.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

namespace coppice::graph {
namespace {

constexpr std::size_t longest_list = 16;

std::string show(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", static_cast<double>(value));
  return text;
}
std::string show(std::int64_t value) {
  return std::to_string(value);
}
std::string show(const std::string& value) {
  return quoted(value.size() <= 200 ? value : value.substr(0, 200) + "...");
}
std::string show(const GraphPtr& graph) {
  return graph ? "graph " + quoted(graph->name) : "graph";
}
std::string show(std::monostate) {
  return "?";
}

// Small tensors of numbers show their elements.
std::string show(const Tensor& tensor) {
  std::string out = show_type(tensor);
  const bool whole = tensor::is_integer(tensor.dtype);
  if (!whole && !tensor::is_real(tensor.dtype)) return out;
  const std::int64_t count = tensor.elements();
  if (count > static_cast<std::int64_t>(longest_list)) return out;
  if (tensor.bytes.size() < tensor::byte_size(tensor.dtype, count)) return out;
  out += '{';
  for (std::int64_t i = 0; i < count; ++i) {
    if (i != 0) out += ',';
    out += whole ? show(element_as_int(tensor, i)) : show(static_cast<float>(element_as_double(tensor, i)));
  }
  return out + '}';
}

template <class T>
std::string show(const std::vector<T>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size() && i < longest_list; ++i) out += (i ? "," : "") + show(values[i]);
  if (values.size() > longest_list) out += ",... " + std::to_string(values.size()) + " in all";
  return out + "]";
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += code;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string show_name(std::string_view name) {
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '/' || c == ':' || c == '-';
  };
  if (!name.empty() && name != "_" && std::all_of(name.begin(), name.end(), plain)) return std::string(name);
  return quoted(name);
}

std::string show_dims(const std::optional<std::vector<Dim>>& shape) {
  if (!shape) return {};
  std::string out = "[";
  for (const Dim& dim : *shape) {
    if (out.size() > 1) out += ',';
    out += dim.size >= 0 ? std::to_string(dim.size) : dim.param.empty() ? "?" : show_name(dim.param);
  }
  return out + "]";
}

std::string show_type(const Tensor& tensor) {
  std::string out(tensor::name(tensor.dtype));
  out += '[';
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) out += (i ? "," : "") + std::to_string(tensor.shape[i]);
  return out + ']';
}

std::string show_attribute(const Attribute& attribute) {
  std::string out = show_name(attribute.name) + "=";
  if (!attribute.ref.empty()) return out + "@" + show_name(attribute.ref);
  return out + std::visit([](const auto& value) { return show(value); }, attribute.value);
}

}  // namespace coppice::graph
