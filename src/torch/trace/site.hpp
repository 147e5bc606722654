#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/builder.hpp"
#include "coppice/torch/aten.hpp"

namespace torch::jit {
struct Node;
}

/// How operators of libtorch become ours. Adding one: write a rule in the file of its family under torch/trace/ops, and
/// an entry in that file's add_..._rules.
namespace coppice::tracing {

using graph::attr;
using graph::Attribute;
using graph::ValueId;
using Ints = std::vector<std::int64_t>;

class Translation;

/// One call of an operator in a recording, as its rule sees it. Arguments are counted as in the operator's signature.
class Site {
 public:
  Site(Translation& translation, const torch::jit::Node* node);

  std::string_view name() const { return name_; }  ///< Without "aten::" and the underscore of writing in place.

  // ---- Arguments.
  std::size_t count() const;
  bool has(std::size_t i) const;  ///< Neither absent nor None.
  bool is_tensor(std::size_t i) const;
  bool is_list(std::size_t i) const;
  bool is_bool(std::size_t i) const;
  bool is_text(std::size_t i) const;
  bool is_number(std::size_t i) const;  ///< A whole or real number, no tensor.
  std::int64_t integer(std::size_t i, std::int64_t fallback = 0) const;
  double real(std::size_t i, double fallback = 0) const;
  bool flag(std::size_t i, bool fallback = false) const;
  std::string text(std::size_t i) const;
  Ints ints(std::size_t i) const;  ///< One number counts as a list; empty when absent.
  std::vector<double> reals(std::size_t i) const;

  /// A tensor argument; no_value when absent.
  ValueId in(std::size_t i);
  /// The same with its elements converted.
  ValueId in(std::size_t i, at::ScalarType dtype);
  /// A list of tensors.
  std::vector<ValueId> list(std::size_t i);
  /// The elements of a tensor of whole numbers that is the same in every run.
  std::optional<Ints> known(std::size_t i);
  Ints shape(std::size_t i) const;
  std::vector<Ints> shapes(std::size_t i) const;  ///< Of a list of tensors.
  std::int64_t rank(std::size_t i) const { return static_cast<std::int64_t>(shape(i).size()); }
  at::ScalarType dtype(std::size_t i) const;
  std::vector<at::ScalarType> dtypes(std::size_t i) const;  ///< Of a list of tensors.
  /// A number, or the one number that fills a tensor.
  std::optional<double> splat(std::size_t i) const;
  std::optional<double> splat(std::size_t i, std::size_t element) const;  ///< Of a list of tensors.
  /// The matrix whose transpose the argument is; no_value when it is none.
  ValueId transposed(std::size_t i);

  /// An axis of a tensor of that rank, counted from the front.
  static std::int64_t axis(std::int64_t axis, std::int64_t rank) { return axis < 0 ? axis + rank : axis; }
  std::int64_t axis_of(std::size_t argument, std::size_t tensor = 0) const {
    return axis(integer(argument), rank(tensor));
  }

  // ---- Results.
  std::size_t results() const { return results_; }
  bool wanted(std::size_t k) const;  ///< Somebody reads it.
  Ints out_shape(std::size_t k = 0) const;
  at::ScalarType out_dtype(std::size_t k = 0) const;
  void out(ValueId value, std::size_t k = 0);
  /// The first result is filled with one number; it becomes a tensor where somebody needs one.
  void out_splat(double value);

  // ---- New nodes, named by the path of the parameters that the call reads, and by `part` where given.
  ValueId op(std::string_view op, std::vector<ValueId> inputs, std::vector<Attribute> attributes = {},
             std::string_view part = {});
  std::vector<ValueId> ops(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                           std::vector<Attribute> attributes = {}, std::string_view part = {});
  ValueId constant(Ints values, std::string_view part);  ///< A list of int64.
  ValueId scalar(double value, at::ScalarType dtype, std::string_view part);
  ValueId filled(double value, Ints shape, at::ScalarType dtype, std::string_view part);  ///< Stored as it is.
  ValueId table(const at::Tensor& tensor, std::string_view part);                         ///< Stored as it is.
  ValueId cast(ValueId value, at::ScalarType from, at::ScalarType to, std::string_view part = "cast");

 private:
  friend class Translation;
  std::string part_name(std::string_view part) const;

  Translation& translation_;
  const torch::jit::Node* node_;
  std::string_view name_;
  std::size_t results_ = 0;
  std::string stem_;
};

/// Adds the nodes of one call and sets its results. Returns false where this form of the operator has no counterpart.
using Rule = bool (*)(Site& site);

struct RuleEntry {
  std::string_view op;  ///< As libtorch names it, without "aten::".
  Rule rule;
};

/// Null for an operator without a counterpart.
Rule find_rule(std::string_view op);
/// All entries, in the order in which the families add them.
std::span<const RuleEntry> all_rules();

}  // namespace coppice::tracing
