#include "coupling/rules/rules.hpp"

#include <array>
#include <cctype>
#include <map>
#include <set>

#include "coupling/rule_case.hpp"

// Every axis rule by small graphs; the graphs and what is expected of them stand in rules_*_test.cpp.
namespace coppice::coupling {
namespace {

struct Letters {
  std::map<char, std::int32_t> unit;
  std::map<std::int32_t, char> letter;
};

// Letters and units correspond one to one.
void expect_unit(const Tiny& t, Letters& letters, char letter, std::int32_t unit, const std::string& where) {
  if (letter == '.') {
    EXPECT_EQ(unit, -1) << where;
    return;
  }
  ASSERT_GE(unit, 0) << where;
  EXPECT_EQ(letters.unit.try_emplace(letter, unit).first->second, unit) << where << " is not " << letter;
  EXPECT_EQ(letters.letter.try_emplace(unit, letter).first->second, letter) << where;
  const Unit& found = t.c.units()[static_cast<std::size_t>(unit)];
  EXPECT_EQ(found.locked, std::isupper(static_cast<unsigned char>(letter)) != 0)
      << where << ": " << (found.locked ? name(found.reason) : "open");
}

void expect_units(const Tiny& t, Letters& letters, const std::string& line) {
  const auto space = line.find(' '), dot = line.rfind('.', space);
  const std::string value = line.substr(0, dot), expected = line.substr(space + 1);
  const std::size_t k = static_cast<std::size_t>(std::stoi(line.substr(dot + 1, space - dot - 1)));
  ASSERT_LT(k, t.c.axes(t.id(value)).size()) << line;
  ASSERT_EQ(t.axis(value, k).length, static_cast<std::int64_t>(expected.size())) << line;
  for (std::size_t i = 0; i < expected.size(); ++i)
    expect_unit(t, letters, expected[i], t.unit(value, k, static_cast<std::int64_t>(i)),
                line + " at " + std::to_string(i));
}

std::vector<std::string> mixes_of(const Tiny& t, std::string_view op) {
  static constexpr std::array<const char*, 10> names{"sum",         "mean",        "max",        "min",   "product",
                                                     "exponential", "contraction", "statistics", "range", "state"};
  std::vector<std::string> out;
  for (const Mix& mix : t.c.mixes()) {
    const graph::Node& node = t.model.graph.nodes[static_cast<std::size_t>(mix.node)];
    if (node.op != op) continue;
    out.push_back(node.name + ": " + names.at(static_cast<std::size_t>(mix.how)) + " " + std::to_string(mix.operand) +
                  "." + std::to_string(mix.axis));
    if (mix.other >= 0) out.back() += " " + std::to_string(mix.other) + "." + std::to_string(mix.other_axis);
  }
  return out;
}

// A rule that is silent about an axis of a constant leaves it to the constant's other readers, which may cut it.
void expect_no_silence(const Tiny& t) {
  for (const graph::Initializer& constant : t.model.graph.initializers) {
    if (!tensor::is_real(constant.tensor.dtype)) continue;
    for (const Axis& axis : t.c.axes(constant.value))
      EXPECT_TRUE(axis.born || axis.length == 1) << "silent about " << t.model.graph.name_of(constant.value);
  }
}

TEST_P(Rules, GiveTheseUnitsLocksAndMixes) {
  const RuleCase& p = GetParam();
  Tiny t(p.opset);
  p.build(t);
  t.run(p.options);
  for (const std::string& problem : t.problems) ADD_FAILURE() << problem;
  Letters letters;
  for (const std::string& line : p.units) expect_units(t, letters, line);
  for (const Locked& lock : p.locks)
    for (char letter : lock.letters) {
      ASSERT_TRUE(letters.unit.contains(letter)) << letter;
      const Unit& unit = t.c.units()[static_cast<std::size_t>(letters.unit[letter])];
      EXPECT_EQ(name(unit.reason), name(lock.reason)) << letter;
      EXPECT_EQ(t.locker(unit), lock.node) << letter;
    }
  EXPECT_EQ(mixes_of(t, Tiny::apart(p.op).second), p.mixes);
  expect_no_silence(t);
}

TEST(RuleTables, CoverEveryOperatorThatHasARule) {
  std::set<std::pair<std::string_view, std::string_view>> shown, known;
  for (const RuleCases* cases :
       {&elementwise_cases(), &broadcast_cases(), &attention_cases(), &runtime_attention_cases(), &conv_cases(),
        &matmul_cases(), &norm_cases(), &reduce_cases(), &shape_cases(), &select_cases(), &gather_cases(),
        &spatial_cases(), &recurrent_cases(), &quant_cases()})
    for (const RuleCase& c : *cases) shown.insert(Tiny::apart(c.op));
  for (const RuleEntry& rule : all_rules()) {
    EXPECT_TRUE(known.emplace(rule.domain, rule.op).second) << rule.domain << " " << rule.op << " has two rules";
    EXPECT_TRUE(shown.contains({rule.domain, rule.op})) << rule.domain << " " << rule.op << " has no case";
    EXPECT_EQ(find_rule(rule.domain, rule.op), rule.rule);
  }
  for (const auto& [domain, op] : shown) EXPECT_TRUE(known.contains({domain, op})) << op << " has no rule";
  EXPECT_EQ(find_rule("", "Mystery"), nullptr);
  EXPECT_EQ(find_rule("com.example", "Relu"), nullptr);
}

}  // namespace
}  // namespace coppice::coupling
