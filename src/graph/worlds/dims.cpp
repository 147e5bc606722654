#include "graph/worlds/dims.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>

namespace coppice::graph::worlds {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool contains_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

std::optional<Role> role_of_name(const std::string& name) {
  if (name.empty()) return std::nullopt;
  if (contains_any(name, {"batch"}) || name == "n" || name == "b" || name == "bs") return Role::batch;
  if (contains_any(name, {"total"})) return Role::total;
  if (contains_any(name, {"past"})) return Role::past;
  if (contains_any(name, {"height"}) || name == "h") return Role::height;
  if (contains_any(name, {"width"}) || name == "w") return Role::width;
  if (contains_any(name, {"seq", "len", "time", "frame", "sample", "token"})) return Role::sequence;
  return std::nullopt;
}

bool channels(const Dim& dim) {
  return dim.size == 1 || dim.size == 3 || dim.size == 4;
}

// Without a telling name, the place decides: images are N C H W or N H W C, text is batch x sequence.
Role role_of_place(const Value& value, std::size_t axis) {
  const std::vector<Dim>& shape = *value.shape;
  const std::string input = lower(value.name);
  const bool cached = contains_any(input, {"past", "cache"});
  const std::size_t rank = shape.size();
  if (axis == 0 && rank > 1) return Role::batch;
  if (cached) return Role::past;
  if (contains_any(input, {"mask"}) && rank == 2) return Role::total;
  if (rank == 4 || rank == 5) {
    const bool channels_last = shape[rank - 1].size >= 0 && channels(shape[rank - 1]) && shape[1].size < 0;
    const std::size_t last_space = channels_last ? rank - 2 : rank - 1;
    if (axis == last_space) return Role::width;
    if (axis + 1 == last_space) return Role::height;
    if (axis + 2 == last_space && rank == 5) return Role::depth;
    return Role::other;
  }
  if (rank == 3 && channels(shape[0])) return axis == 1 ? Role::height : Role::width;
  return rank <= 3 ? Role::sequence : Role::other;
}

}  // namespace

Inputs collect_inputs(const Graph& graph) {
  Inputs out;
  std::unordered_map<std::string_view, std::size_t> named;  // index into out.dims
  for (ValueId id : graph.inputs) {
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    if (value.initializer >= 0 || !value.shape) continue;
    const std::size_t input = out.values.size();
    out.values.push_back(id);
    for (std::size_t axis = 0; axis < value.shape->size(); ++axis) {
      const Dim& dim = (*value.shape)[axis];
      if (dim.size >= 0) continue;
      if (!dim.param.empty()) {
        const auto [same, added] = named.try_emplace(dim.param, out.dims.size());
        if (!added) {
          out.dims[same->second].places.emplace_back(input, axis);
          continue;
        }
      }
      DynamicDim fresh{
          dim.param, role_of_name(lower(dim.param)).value_or(role_of_place(value, axis)), 0, {{input, axis}}};
      out.dims.push_back(std::move(fresh));
    }
  }
  // Where a name says batch, another named first axis (of a sequence-first input) is none.
  const auto told_batch = [](const DynamicDim& dim) { return role_of_name(lower(dim.name)) == Role::batch; };
  if (std::any_of(out.dims.begin(), out.dims.end(), told_batch))
    for (DynamicDim& dim : out.dims)
      if (dim.role == Role::batch && !dim.name.empty() && !told_batch(dim)) dim.role = Role::sequence;
  std::array<std::size_t, 8> seen{};
  for (DynamicDim& dim : out.dims) dim.ordinal = seen[static_cast<std::size_t>(dim.role)]++;
  return out;
}

std::optional<std::int64_t> evaluate(const std::string& expression,
                                     const std::vector<std::pair<std::string, std::int64_t>>& known) {
  std::int64_t sum = 0, product = 1, sign = 1;
  std::size_t at = 0;
  bool compound = false;
  while (true) {
    const std::size_t end = std::min(expression.find_first_of("+-*", at), expression.size());
    std::string_view factor = std::string_view(expression).substr(at, end - at);
    while (!factor.empty() && factor.front() == ' ') factor.remove_prefix(1);
    while (!factor.empty() && factor.back() == ' ') factor.remove_suffix(1);
    std::int64_t value = 0;
    if (factor.empty() || factor.size() > 200) return std::nullopt;
    if (std::all_of(factor.begin(), factor.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) {
      if (factor.size() > 9) return std::nullopt;
      for (char c : factor) value = value * 10 + (c - '0');
    } else {
      const auto it =
          std::find_if(known.begin(), known.end(), [&](const auto& entry) { return entry.first == factor; });
      if (it == known.end()) return std::nullopt;
      value = it->second;
    }
    if (__builtin_mul_overflow(product, value, &product)) return std::nullopt;
    const bool last = end == expression.size();
    if (last || expression[end] != '*') {
      if (__builtin_add_overflow(sum, sign * product, &sum)) return std::nullopt;
      product = 1;
      sign = !last && expression[end] == '-' ? -1 : 1;
    }
    if (last) break;
    compound = true;
    at = end + 1;
  }
  if (!compound || sum < 0) return std::nullopt;
  return sum;
}

}  // namespace coppice::graph::worlds
