#include "torch/trace/site.hpp"

#include <torch/csrc/jit/ir/constants.h>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/trace/translation.hpp"

namespace coppice::tracing {
namespace {

const JitValue* argument(const JitNode* node, std::size_t i) {
  return i < node->inputs().size() ? node->input(i) : nullptr;
}

bool is_kind(const JitNode* node, std::size_t i, c10::TypeKind kind) {
  const JitValue* value = argument(node, i);
  return value && value->type()->kind() == kind;
}

// A literal; none where the argument is absent or None.
c10::IValue literal(const JitNode* node, std::size_t i) {
  const JitValue* value = argument(node, i);
  if (!value) return {};
  if (const auto constant = torch::jit::toIValue(value)) return *constant;
  throw Error(std::string(node->kind().toQualString()) + ": expected argument " + std::to_string(i) +
              " to be a literal");
}

std::vector<const JitValue*> elements(const JitNode* node, std::size_t i) {
  const JitValue* value = argument(node, i);
  if (!value || value->mustBeNone()) return {};
  const JitNode* source = value->node();
  if (source->kind() == c10::prim::ListConstruct) return {source->inputs().begin(), source->inputs().end()};
  return results_of(source);
}

double number(const c10::IValue& value) {
  if (value.isBool()) return value.toBool() ? 1 : 0;
  return value.toScalar().toDouble();
}

}  // namespace

Site::Site(Translation& translation, const JitNode* node)
    : translation_(translation),
      node_(node),
      name_(plain_name(node)),
      results_(results_of(node).size()),
      stem_(translation.stem(node)) {}

std::size_t Site::count() const {
  return node_->inputs().size();
}

bool Site::has(std::size_t i) const {
  const JitValue* value = argument(node_, i);
  return value && !value->mustBeNone();
}

bool Site::is_tensor(std::size_t i) const {
  return has(i) && is_kind(node_, i, c10::TypeKind::TensorType);
}

bool Site::is_list(std::size_t i) const {
  return is_kind(node_, i, c10::TypeKind::ListType);
}

bool Site::is_bool(std::size_t i) const {
  return is_kind(node_, i, c10::TypeKind::BoolType);
}

bool Site::is_text(std::size_t i) const {
  return is_kind(node_, i, c10::TypeKind::StringType);
}

bool Site::is_number(std::size_t i) const {
  return is_kind(node_, i, c10::TypeKind::IntType) || is_kind(node_, i, c10::TypeKind::FloatType);
}

std::int64_t Site::integer(std::size_t i, std::int64_t fallback) const {
  const c10::IValue value = literal(node_, i);
  return value.isNone() ? fallback : value.isBool() ? value.toBool() : value.toScalar().toLong();
}

double Site::real(std::size_t i, double fallback) const {
  const c10::IValue value = literal(node_, i);
  return value.isNone() ? fallback : number(value);
}

bool Site::flag(std::size_t i, bool fallback) const {
  return integer(i, fallback ? 1 : 0) != 0;
}

std::string Site::text(std::size_t i) const {
  const c10::IValue value = literal(node_, i);
  return value.isString() ? value.toStringRef() : std::string();
}

std::vector<double> Site::reals(std::size_t i) const {
  if (!has(i)) return {};
  if (!is_list(i)) return {real(i)};
  const JitValue* value = argument(node_, i);
  std::vector<double> out;
  if (const auto constant = torch::jit::toIValue(value)) {
    for (const c10::IValue& element : constant->toList()) out.push_back(number(element));
    return out;
  }
  for (const JitValue* element : elements(node_, i)) {
    const auto constant = torch::jit::toIValue(element);
    if (!constant) throw Error(std::string(node_->kind().toQualString()) + ": expected literals in a list");
    out.push_back(number(*constant));
  }
  return out;
}

Ints Site::ints(std::size_t i) const {
  if (!has(i)) return {};
  if (!is_list(i)) return {integer(i)};
  const JitValue* value = argument(node_, i);
  if (const auto constant = torch::jit::toIValue(value)) return constant->toIntVector();
  Ints out;
  for (const JitValue* element : elements(node_, i)) {
    const auto constant = torch::jit::toIValue(element);
    if (!constant) throw Error(std::string(node_->kind().toQualString()) + ": expected literals in a list");
    out.push_back(constant->toScalar().toLong());
  }
  return out;
}

ValueId Site::in(std::size_t i) {
  return has(i) ? translation_.value(argument(node_, i)) : graph::no_value;
}

ValueId Site::in(std::size_t i, at::ScalarType wanted) {
  if (is_tensor(i)) return cast(in(i), dtype(i), wanted);
  return scalar(real(i), wanted, "scalar");
}

std::vector<ValueId> Site::list(std::size_t i) {
  std::vector<ValueId> out;
  for (const JitValue* element : elements(node_, i))
    out.push_back(element->mustBeNone() ? graph::no_value : translation_.value(element));
  return out;
}

std::optional<Ints> Site::known(std::size_t i) {
  const tensor::Tensor* constant = is_tensor(i) ? translation_.graph().constant(in(i)) : nullptr;
  if (!constant || !tensor::is_integer(constant->dtype)) return std::nullopt;
  Ints out;
  for (std::int64_t k = 0; k < constant->elements(); ++k) out.push_back(tensor::element_as_int(*constant, k));
  return out;
}

Ints Site::shape(std::size_t i) const {
  return translation_.shape_of(argument(node_, i));
}

at::ScalarType Site::dtype(std::size_t i) const {
  return translation_.dtype_of(argument(node_, i));
}

std::vector<Ints> Site::shapes(std::size_t i) const {
  std::vector<Ints> out;
  for (const JitValue* element : elements(node_, i))
    out.push_back(element->mustBeNone() ? Ints() : translation_.shape_of(element));
  return out;
}

std::vector<at::ScalarType> Site::dtypes(std::size_t i) const {
  std::vector<at::ScalarType> out;
  for (const JitValue* element : elements(node_, i))
    out.push_back(element->mustBeNone() ? at::kFloat : translation_.dtype_of(element));
  return out;
}

std::optional<double> Site::splat(std::size_t i) const {
  if (is_number(i) || is_bool(i)) return real(i);
  return is_tensor(i) ? translation_.splat_of(argument(node_, i)) : std::nullopt;
}

std::optional<double> Site::splat(std::size_t i, std::size_t element) const {
  return translation_.splat_of(elements(node_, i).at(element));
}

ValueId Site::transposed(std::size_t i) {
  const JitNode* source = argument(node_, i)->node();
  if (rank(i) != 2 || !source->kind().is_aten()) return graph::no_value;
  const std::string_view op = plain_name(source);
  const bool swaps = op == "t" || op == "numpy_T" || op == "transpose" || op == "swapaxes" || op == "permute";
  if (!swaps || shape(i) == translation_.shape_of(source->input(0))) {
    // A square matrix does not show it by its shape.
    if (op != "t" && op != "numpy_T") return graph::no_value;
  }
  return translation_.value(source->input(0));
}

bool Site::wanted(std::size_t k) const {
  const auto results = results_of(node_);
  return k < results.size() && results[k]->hasUses();
}

Ints Site::out_shape(std::size_t k) const {
  return translation_.shape_of(results_of(node_).at(k));
}

at::ScalarType Site::out_dtype(std::size_t k) const {
  return translation_.dtype_of(results_of(node_).at(k));
}

void Site::out(ValueId value, std::size_t k) {
  translation_.known_[results_of(node_).at(k)] = {value, {}};
}

void Site::out_splat(double value) {
  translation_.known_[results_of(node_).at(0)] = {graph::no_value, value};
}

std::string Site::part_name(std::string_view part) const {
  return translation_.unused_name(part.empty() ? stem_ : stem_ + "/" + std::string(part));
}

ValueId Site::op(std::string_view op, std::vector<ValueId> inputs, std::vector<Attribute> attributes,
                 std::string_view part) {
  return translation_.builder_.op(op, std::move(inputs), std::move(attributes), part_name(part));
}

std::vector<ValueId> Site::ops(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                               std::vector<Attribute> attributes, std::string_view part) {
  const std::string name = part_name(part);
  translation_.reserved_.insert(name);  // the node's; its values have other names
  return translation_.builder_.op_multi(op, std::move(inputs), outputs, std::move(attributes), name);
}

ValueId Site::constant(Ints values, std::string_view part) {
  return translation_.initializer(part_name(part), tensor::Tensor::ints(values));
}

ValueId Site::scalar(double value, at::ScalarType dtype, std::string_view part) {
  return filled(value, {}, dtype, part);
}

ValueId Site::filled(double value, Ints shape, at::ScalarType dtype, std::string_view part) {
  const std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)), value);
  return translation_.initializer(part_name(part), tensor::from_doubles(element_type(dtype), std::move(shape), values));
}

ValueId Site::table(const at::Tensor& tensor, std::string_view part) {
  return translation_.initializer(part_name(part), to_coppice(tensor));
}

ValueId Site::cast(ValueId value, at::ScalarType from, at::ScalarType to, std::string_view part) {
  if (from == to) return value;
  return op("Cast", {value}, {attr("to", static_cast<std::int64_t>(element_type(to)))}, part);
}

}  // namespace coppice::tracing
