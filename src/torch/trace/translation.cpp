#include "torch/trace/translation.hpp"

#include <algorithm>

#include <torch/csrc/jit/ir/constants.h>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/trace/tidy.hpp"

namespace coppice::tracing {
namespace {

std::string folder(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

std::string last(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? path : path.substr(dot + 1);
}

std::string numbered(const std::string& stem, std::size_t index) {
  return index == 0 ? stem : stem + "_" + std::to_string(index);
}

std::vector<graph::Dim> dims(const Ints& shape) {
  std::vector<graph::Dim> out;
  for (const std::int64_t extent : shape) out.push_back({extent, {}});
  return out;
}

constexpr std::size_t no_leaf = static_cast<std::size_t>(-1);

}  // namespace

Translation::Translation(const Recording& recording, std::string graph_name)
    : recording_(recording), builder_(std::move(graph_name), 17) {
  for (const Leaf& leaf : recording.leaves) reserved_.insert(leaf.name);
}

graph::Model Translation::finish() && {
  add_inputs();
  for (const JitNode* node : recording_.graph->nodes()) add_node(node);
  add_outputs();
  graph::Model model = std::move(builder_.model());
  drop_unused(model.graph);
  if (std::any_of(model.graph.nodes.begin(), model.graph.nodes.end(),
                  [](const graph::Node& node) { return node.domain == "aten"; }))
    model.opsets.push_back({"aten", 1});
  model.graph.sort();
  model.graph.check();
  return model;
}

void Translation::add_inputs() {
  const auto inputs = recording_.graph->inputs();
  for (std::size_t i = 1; i < inputs.size(); ++i) {  // the first is the module
    const std::string name = unused_name(numbered("input", i - 1));
    known_[inputs[i]].id = builder_.input(name, element_type(dtype_of(inputs[i])), dims(shape_of(inputs[i])));
  }
}

void Translation::add_outputs() {
  std::size_t index = 0;
  for (const JitValue* output : recording_.graph->outputs()) {
    ValueId id = value(output);
    const graph::Value& known = graph().values[at(id)];
    if (known.is_input || known.is_output || known.initializer >= 0)
      id = builder_.op("Identity", {id}, {}, unused_name("identity"));
    builder_.rename(id, unused_name(numbered("output", index++)));
    builder_.output(id, element_type(dtype_of(output)), dims(shape_of(output)));
  }
}

void Translation::add_node(const JitNode* node) {
  const auto kind = node->kind();
  if (kind == c10::prim::Constant || kind == c10::prim::GetAttr || kind == c10::prim::ListConstruct ||
      kind == c10::prim::ListUnpack)
    return;
  if (node->inputs().empty() || node->input(0)->type()->kind() != c10::TypeKind::TensorType) {
    add_plain(node);
    return;
  }
  const JitValue* first = node->input(0);
  if (makes_view(plain_name(node)))
    for (const JitValue* result : results_of(node)) {
      const auto base = bases_.find(first);
      bases_[result] = base == bases_.end() ? first : base->second;
    }
  const std::vector<const JitValue*> others = writes(node) ? rewritten(node) : std::vector<const JitValue*>();
  if (others.empty()) {
    add_plain(node);
  } else {
    Site site(*this, node);
    add_unmapped(site, node, others);
  }
  // What writes to its first argument goes on being a view of what that was a view of.
  if (writes(node))
    if (const auto base = bases_.find(first); base != bases_.end()) bases_[node->output(0)] = base->second;
}

void Translation::add_plain(const JitNode* node) {
  Site site(*this, node);
  const Rule rule = node->kind().is_aten() ? find_rule(plain_name(node)) : nullptr;
  if (!rule || !rule(site)) add_unmapped(site, node, {});
}

Ints Translation::shape_of(const JitValue* value) const {
  if (const auto of = leaf(value)) return recording_.leaves[*of].tensor.sizes().vec();
  const auto type = value->type()->cast<c10::TensorType>();
  if (type)
    if (const auto sizes = type->sizes().concrete_sizes()) return *sizes;
  throw Error(std::string("the recording does not tell the shape of what ") + value->node()->kind().toQualString() +
              " computes");
}

at::ScalarType Translation::dtype_of(const JitValue* value) const {
  if (const auto of = leaf(value)) return recording_.leaves[*of].tensor.scalar_type();
  const auto type = value->type()->cast<c10::TensorType>();
  if (type && type->scalarType()) return *type->scalarType();
  throw Error(std::string("the recording does not tell the element type of what ") +
              value->node()->kind().toQualString() + " computes");
}

std::optional<double> Translation::splat_of(const JitValue* value) const {
  if (const auto it = known_.find(value); it != known_.end()) return it->second.splat;
  if (value->node()->kind() != c10::prim::Constant) return std::nullopt;
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return std::nullopt;
  const at::Tensor tensor = constant->toTensor();
  return tensor.numel() == 1 && tensor.dim() == 0 && !tensor.is_complex()
             ? std::optional<double>(tensor.item().toDouble())
             : std::nullopt;
}

// Whatever it does, it is a function of its tensors. The results' shapes are those of the recording.
void Translation::add_unmapped(Site& site, const JitNode* node, std::span<const JitValue* const> rewritten) {
  graph::Node out;
  out.op = node->kind().toUnqualString();
  std::vector<const JitValue*> operands;
  for (const JitValue* input : node->inputs()) {
    if (input->node()->kind() == c10::prim::ListConstruct) {
      operands.insert(operands.end(), input->node()->inputs().begin(), input->node()->inputs().end());
    } else {
      operands.push_back(input);
    }
  }
  operands.insert(operands.end(), rewritten.begin(), rewritten.end());
  for (const JitValue* operand : operands)
    if (operand->type()->kind() == c10::TypeKind::TensorType && !operand->mustBeNone())
      out.inputs.push_back(value(operand));
  std::vector<const JitValue*> results = results_of(node);
  results.insert(results.end(), rewritten.begin(), rewritten.end());
  out.domain = "aten";
  out.name = unused_name(site.stem_);
  for (std::size_t k = 0; k < results.size(); ++k) {
    const ValueId id = graph().value(k == 0 ? out.name : unused_name(out.name + ":" + std::to_string(k)));
    const auto type = results[k]->type()->cast<c10::TensorType>();
    graph::Value& declared = graph().values[at(id)];
    if (type && type->scalarType() && type->sizes().concrete_sizes()) {
      declared.dtype = element_type(*type->scalarType());
      declared.shape = dims(*type->sizes().concrete_sizes());
      declared.declared = true;
    }
    out.outputs.push_back(id);
    known_[results[k]] = {id, {}};
  }
  graph().nodes.push_back(std::move(out));
}

std::vector<const JitValue*> Translation::rewritten(const JitNode* node) {
  const JitValue* target = node->input(0);
  const auto base_of = [&](const JitValue* value) {
    const auto it = bases_.find(value);
    return it == bases_.end() ? value : it->second;
  };
  const JitValue* base = base_of(target);
  std::vector<const JitValue*> candidates{base};
  for (const auto& [view, of] : bases_)
    if (of == base) candidates.push_back(view);
  std::vector<const JitValue*> out;
  for (const JitValue* candidate : candidates) {
    if (candidate == target) continue;
    const auto& uses = candidate->uses();
    if (std::any_of(uses.begin(), uses.end(), [&](const torch::jit::Use& use) {
          return use.user->kind() == c10::prim::Return || use.user->isAfter(node);
        }))
      out.push_back(candidate);
  }
  std::sort(out.begin(), out.end(), [](const JitValue* a, const JitValue* b) { return a->unique() < b->unique(); });
  return out;
}

std::optional<std::size_t> Translation::leaf(const JitValue* value) const {
  const JitNode* node = value->node();
  if (node->kind() != c10::prim::GetAttr) return std::nullopt;
  const std::size_t index = std::stoul(node->s(c10::attr::name).substr(1));
  return recording_.leaves[index].same_as;
}

std::optional<std::size_t> Translation::origin(const JitValue* value) {
  if (const auto found = leaf(value)) return found;
  if (const auto it = origins_.find(value); it != origins_.end())
    return it->second == no_leaf ? std::nullopt : std::optional<std::size_t>(it->second);
  std::size_t out = no_leaf;
  const JitNode* node = value->node();
  if (node->kind().is_aten() || node->kind() == c10::prim::ListConstruct || node->kind() == c10::prim::ListUnpack) {
    for (const JitValue* input : node->inputs()) {
      if (input->node()->kind() == c10::prim::Constant) continue;
      if (input->node()->kind() == c10::prim::ListConstruct && input->type()->kind() == c10::TypeKind::ListType &&
          std::all_of(input->node()->inputs().begin(), input->node()->inputs().end(),
                      [](const JitValue* element) { return element->node()->kind() == c10::prim::Constant; }))
        continue;
      const auto it = origin(input);
      if (!it) {
        out = no_leaf;
        break;
      }
      if (out == no_leaf) out = *it;
    }
  }
  origins_[value] = out;
  return out == no_leaf ? std::nullopt : std::optional<std::size_t>(out);
}

std::string Translation::stem(const JitNode* node) {
  const std::string op(plain_name(node));
  std::optional<std::size_t> first;
  bool activation = false;
  const auto look = [&](const JitValue* value) {
    if (value->node()->kind() == c10::prim::Constant || value->mustBeNone()) return;
    if (value->type()->kind() != c10::TypeKind::TensorType) return;
    const auto found = origin(value);
    if (found && !first) first = found;
    activation = activation || !found;
  };
  for (const JitValue* input : node->inputs()) {
    if (input->node()->kind() == c10::prim::ListConstruct) {
      for (const JitValue* element : input->node()->inputs()) look(element);
    } else {
      look(input);
    }
  }
  if (!first) return op;
  const std::string& name = recording_.leaves[*first].name;
  if (!activation) return name + "/" + op;
  const std::string path = folder(name);
  if (path.empty()) return op;
  // The layer's product has its path; what adds the bias to it is a part of it.
  const auto [it, added] = stems_.try_emplace(path, *first);
  return added || it->second == *first ? path : path + "/" + last(name);
}

std::string Translation::unused_name(const std::string& stem) {
  std::string candidate = stem;
  for (std::size_t k = 1; graph().index.contains(candidate) || reserved_.contains(candidate); ++k)
    candidate = stem + "_" + std::to_string(k);
  return candidate;
}

ValueId Translation::initializer(const std::string& name, tensor::Tensor tensor) {
  return graph().add_initializer(unused_name(name), std::move(tensor));
}

ValueId Translation::value(const JitValue* value) {
  if (const auto index = leaf(value)) {
    const auto [it, added] = initializers_.try_emplace(*index, graph::no_value);
    const Leaf& leaf = recording_.leaves[*index];
    if (added) it->second = graph().add_initializer(leaf.name, to_coppice(leaf.tensor));
    return it->second;
  }
  Known& known = known_[value];
  if (known.id != graph::no_value) return known.id;
  if (known.splat) {
    const ValueId shape = initializer("filled/shape", tensor::Tensor::ints(shape_of(value)));
    const double number = *known.splat;
    const tensor::DType dtype = element_type(dtype_of(value));
    known.id =
        builder_.op("ConstantOfShape", {shape},
                    {attr("value", tensor::from_doubles(dtype, {1}, std::span(&number, 1)))}, unused_name("filled"));
    return known.id;
  }
  if (value->node()->kind() == c10::prim::Constant) {
    if (const auto constant = torch::jit::toIValue(value); constant && constant->isTensor()) {
      known.id = initializer("constant", to_coppice(constant->toTensor()));
      return known.id;
    }
  }
  throw Error(std::string("the recording reads a value that it does not compute: ") +
              value->node()->kind().toQualString());
}

}  // namespace coppice::tracing
