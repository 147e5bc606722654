#pragma once
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "coupling/tiny.hpp"

namespace coppice::coupling {

/// Units of a graph must be locked, for a reason and by a node ("": by none).
struct Locked {
  std::string letters;
  Reason reason;
  std::string node;
};

/// The smallest graph that shows what an axis rule does, and what must come out of it.
struct RuleCase {
  std::string op;    ///< The operator whose rule it is; "com.microsoft.Gelu" for another domain than ONNX's.
  std::string what;  ///< What it shows, in CamelCase.
  std::function<void(Tiny&)> build;
  /// "value.axis letters", a letter an index: equal letters are one unit, different ones are different units. Small:
  /// may be cut. Capital: locked. A dot: no unit. All letters of a case speak of the same units.
  std::vector<std::string> units;
  /// Every capital letter, except where only the ends of the graph lock.
  std::vector<Locked> locks = {};
  /// All that nodes of the operator mix: "node: way operand.axis" and, for a contraction, " operand.axis".
  std::vector<std::string> mixes = {};
  Options options = {};
  std::int64_t opset = 21;

  friend void PrintTo(const RuleCase& p, std::ostream* out) { *out << p.op << " " << p.what; }
};

using RuleCases = std::vector<RuleCase>;

// One table a file of rules, or two.
const RuleCases& elementwise_cases();
const RuleCases& broadcast_cases();
const RuleCases& attention_cases();
const RuleCases& runtime_attention_cases();
const RuleCases& conv_cases();
const RuleCases& matmul_cases();
const RuleCases& norm_cases();
const RuleCases& reduce_cases();
const RuleCases& shape_cases();
const RuleCases& select_cases();
const RuleCases& gather_cases();
const RuleCases& spatial_cases();
const RuleCases& recurrent_cases();
const RuleCases& quant_cases();

/// Runs a RuleCase; every file of cases instantiates it.
class Rules : public testing::TestWithParam<RuleCase> {};

inline std::string case_name(const testing::TestParamInfo<RuleCase>& instance) {
  return std::string(Tiny::apart(instance.param.op).second) + instance.param.what;
}

/// The graph's input, made on first use.
inline ValueId input_of(Tiny& t, const graph::Shape& shape) {
  const ValueId found = t.b.graph().find("x");
  return found != graph::no_value ? found : t.x("x", shape);
}
/// An activation [2, width] whose columns are those of the constant `name` [3, width].
inline ValueId rows(Tiny& t, std::string_view name = "a", std::int64_t width = 4) {
  return t.fc(input_of(t, {2, 3}), name, 3, width);
}
/// An activation [2, 5, width] whose last axis are the columns of the constant `name` [3, width].
inline ValueId tokens(Tiny& t, std::string_view name = "a", std::int64_t width = 4) {
  return t.fc(input_of(t, {2, 5, 3}), name, 3, width);
}
/// An activation [2, channels, 4, 4] whose channels are the first axis of the constant `name` [channels, 3, 1, 1].
inline ValueId image(Tiny& t, std::string_view name = "a", std::int64_t channels = 4) {
  return t.conv(input_of(t, {2, 3, 4, 4}), name, 3, channels);
}
/// The image with its channels as the first space axis, [2, 4, channels, 4]...
inline ValueId turned(Tiny& t, std::string_view name = "a") {
  return t.op("Transpose", {image(t, name)}, {attr("perm", Indices{0, 2, 1, 3})});
}
/// ...and as the batch, [channels, 2, 4, 4].
inline ValueId stacked(Tiny& t, std::string_view name = "a") {
  return t.op("Transpose", {image(t, name)}, {attr("perm", Indices{1, 0, 2, 3})});
}

}  // namespace coppice::coupling
