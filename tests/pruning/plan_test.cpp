#include "coppice/pruning/plan.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/zoo/zoo.hpp"

#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using graph::DType;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Prepared small() {
  return chain({filled({2, 4}), filled({4, 3}), filled({3, 2})});
}

std::vector<std::uint8_t> without(const Prepared& prepared, std::string_view constant, std::size_t axis,
                                  std::size_t index) {
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  const auto axes = prepared.couplings.axes(prepared.model.graph.find(constant));
  removed[static_cast<std::size_t>(prepared.couplings.track(axes[axis].track)[index])] = 1;
  return removed;
}

TEST(Plan, ListsWhatIsKept) {
  const Prepared prepared = small();
  const Plan plan = make_plan(prepared, without(prepared, "fc0.weight", 1, 2), {{"ratio", "0.25"}});
  const std::string expected =
      "{\n  \"format\": \"coppice plan\",\n  \"version\": 1,\n  \"fingerprint\": \"" + fingerprint(prepared.model) +
      "\",\n  \"model\": {\"inputs\": \"x\", \"operator sets\": \"17\", \"operators\": \"MatMul x 3\", \"outputs\": "
      "\"fc2\", \"parameters\": \"3 constants with 26 elements\"},\n"
      "  \"options\": {\"ratio\": \"0.25\"},\n  \"cuts\": [\n"
      "    {\"parameter\": \"fc0.weight\", \"axis\": 1, \"length\": 4, \"kept\": [0, 1, 3]},\n"
      "    {\"parameter\": \"fc1.weight\", \"axis\": 0, \"length\": 4, \"kept\": [0, 1, 3]}\n  ]\n}\n";
  EXPECT_EQ(to_json(plan), expected);
}

TEST(Plan, ReplaysToTheSameUnits) {
  Prepared prepared = prepare(zoo::build("shufflenet_v2_x1_0", 0, {.image_side = 64}));
  const Selection selection = select(prepared, {.ratio = 0.5});
  const std::string text = to_json(make_plan(prepared, selection.removed, {}));
  const Plan read = parse_plan(text);
  EXPECT_EQ(to_json(read), text);
  EXPECT_EQ(removed_units(prepared, read), selection.removed);
  // Another file of the same model: other weights.
  const Prepared other = prepare(zoo::build("shufflenet_v2_x1_0", 9, {.image_side = 64}));
  EXPECT_EQ(removed_units(other, read), selection.removed);
}

TEST(Plan, EmptyPlansAndOddNamesSurvive) {
  Plan plan{.fingerprint = "abc", .model = {}, .options = {}, .cuts = {}};
  EXPECT_EQ(to_json(parse_plan(to_json(plan))), to_json(plan));
  plan.cuts.push_back({"a\"b\\\n\u00e9", 0, 3, {1}});
  const Plan read = parse_plan(to_json(plan));
  ASSERT_EQ(read.cuts.size(), 1u);
  EXPECT_EQ(read.cuts[0].parameter, plan.cuts[0].parameter);
  plan.cuts[0].parameter = "\xff";
  EXPECT_TRUE(has(error_of([&] { to_json(plan); }), "UTF-8"));
}

TEST(Fingerprint, SeesTheStructureAlone) {
  const Prepared prepared = small();
  const std::string print = fingerprint(prepared.model);
  EXPECT_EQ(print.size(), 32u);
  EXPECT_EQ(fingerprint(chain({filled({2, 4}, 7), filled({4, 3}), filled({3, 2})}).model), print);
  EXPECT_NE(fingerprint(chain({filled({2, 5}), filled({5, 3}), filled({3, 2})}).model), print);
  EXPECT_NE(fingerprint(chain({filled({2, 4}), filled({4, 3})}).model), print);
  graph::Model model = prepared.model;
  model.opsets[0].version = 18;
  EXPECT_NE(fingerprint(model), print);
  model = prepared.model;
  model.graph.nodes[0].set("alpha", 1.0f);
  EXPECT_NE(fingerprint(model), print);
  model = prepared.model;
  std::swap(model.graph.initializers[0], model.graph.initializers[1]);
  model.graph.reindex();
  EXPECT_EQ(fingerprint(model), print);
}

TEST(Replay, APlanForAnotherModelSaysWhatDiffers) {
  const Prepared prepared = small();
  const Plan plan = make_plan(prepared, without(prepared, "fc1.weight", 1, 0), {});
  const auto refused = [&](const Prepared& other) { return error_of([&] { removed_units(other, plan); }); };
  const std::string wider = refused(chain({filled({2, 4}), filled({4, 5}), filled({5, 2})}));
  EXPECT_TRUE(has(wider, "\"fc1.weight\" axis 1")) << wider;
  EXPECT_TRUE(has(wider, "expected length 3, found 5")) << wider;
  const std::string shorter = refused(chain({filled({2, 4})}));
  EXPECT_TRUE(has(shorter, "\"fc1.weight\": the model has none of that name; nearest: fc0.weight")) << shorter;
  const std::string first = refused(chain({filled({2, 6}), filled({6, 3}), filled({3, 2})}));
  EXPECT_TRUE(has(first, "parameters: expected 3 constants with 26 elements; found 3 constants with 36 elements"))
      << first;
  const std::string longer = refused(chain({filled({2, 4}), filled({4, 3}), filled({3, 2}), filled({2, 2})}));
  EXPECT_TRUE(has(longer, "operators: expected MatMul x 3; found MatMul x 4")) << longer;
  Plan bare = plan;
  bare.model.clear();
  const std::string silent = error_of([&] {
    removed_units(chain({filled({2, 6}), filled({6, 3}), filled({3, 2})}), bare);
  });
  EXPECT_TRUE(has(silent, "expected fingerprint " + plan.fingerprint)) << silent;
}

TEST(Replay, CutsThatDoNotGoTogetherAreRefused) {
  const Prepared prepared = small();
  const Plan good = make_plan(prepared, without(prepared, "fc0.weight", 1, 2), {});
  const auto refused = [&](const std::function<void(Plan&)>& change) {
    Plan plan = good;
    change(plan);
    return error_of([&] { removed_units(prepared, plan); });
  };
  EXPECT_EQ(refused([](Plan&) {}), "");
  std::string message = refused([](Plan& p) { p.cuts.pop_back(); });
  EXPECT_TRUE(has(message, "\"fc1.weight\" axis 0: expected 3 indices kept")) << message;
  message = refused([](Plan& p) { p.cuts[1].kept = {0, 1, 2}; });
  EXPECT_TRUE(has(message, "part of a unit")) << message;
  message = refused([](Plan& p) { p.cuts.push_back(p.cuts[0]); });
  EXPECT_TRUE(has(message, "found again")) << message;
  message = refused([](Plan& p) { p.cuts[0].axis = 7; });
  EXPECT_TRUE(has(message, "has 2 axes")) << message;
  message = refused([](Plan& p) { p.cuts[0] = {"fc0.weight", 0, 2, {0}}; });
  EXPECT_TRUE(has(message, "must stay") || has(message, "cannot be cut")) << message;
  message = refused([](Plan& p) { p.cuts[0] = {"x", 0, 1, {0}}; });
  EXPECT_TRUE(has(message, "none of that name")) << message;
}

TEST(ParsePlan, RefusesWhatIsNoPlan) {
  const auto refused = [](const std::string& text) { return error_of([&] { parse_plan(text); }); };
  const auto with = [](const std::string& cuts) {
    return "{\"format\": \"coppice plan\", \"version\": 1, \"fingerprint\": \"f\", \"options\": {}, \"cuts\": " + cuts +
           "}";
  };
  EXPECT_EQ(refused(with("[]")), "");
  EXPECT_TRUE(has(refused(""), "byte 1"));
  EXPECT_TRUE(has(refused("{\"a\" 1}"), "byte 6"));
  EXPECT_TRUE(has(refused("[1]"), "expected an object, found array"));
  EXPECT_TRUE(has(refused("{}"), "\"format\""));
  EXPECT_TRUE(has(refused("{\"format\": \"x\"}"), "coppice plan"));
  EXPECT_TRUE(has(refused("{\"format\": \"coppice plan\", \"version\": 2}"), "expected version 1, found 2"));
  EXPECT_TRUE(has(refused(std::string(100000, '[')), "levels"));
  EXPECT_TRUE(has(refused(with("{}")), "cuts: expected a list"));
  EXPECT_TRUE(has(refused(with("[1]")), "cut 0: expected an object"));
  EXPECT_TRUE(has(refused(with("[{}]")), "cut 0: expected a field \"parameter\""));
  const auto cut = [&](const std::string& axis, const std::string& length, const std::string& kept) {
    return refused(
        with("[{\"parameter\": \"p\", \"axis\": " + axis + ", \"length\": " + length + ", \"kept\": " + kept + "}]"));
  };
  EXPECT_EQ(cut("0", "3", "[0, 2]"), "");
  EXPECT_TRUE(has(cut("-1", "3", "[0]"), "axis"));
  EXPECT_TRUE(has(cut("1e3", "3", "[0]"), "a fraction"));
  EXPECT_TRUE(has(cut("0", "0", "[0]"), "length"));
  EXPECT_TRUE(has(cut("0", "99999999999999999999", "[0]"), "length"));
  EXPECT_TRUE(has(cut("0", "18446744073709551615", "[0]"), "length"));
  EXPECT_TRUE(has(cut("0", "3", "[]"), "kept"));
  EXPECT_TRUE(has(cut("0", "3", "[2, 1]"), "from 3 to below 3, found 1"));
  EXPECT_TRUE(has(cut("0", "3", "[3]"), "found 3"));
  EXPECT_TRUE(has(cut("0", "3", "[\"a\"]"), "found string"));
}

}  // namespace
}  // namespace coppice::pruning
