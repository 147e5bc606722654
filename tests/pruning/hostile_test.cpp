#include <random>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/cut.hpp"

#include "coupling/rules/rules.hpp"
#include "pruning/prepared.hpp"

// Nodes as no exporter writes them: any number of operands of any shape, any attribute, any declared result. Rules may
// lock, and the cut may refuse with Error; nothing may crash, and sanitizers watch.
namespace coppice::pruning {
namespace {

using graph::DType;
using graph::ValueId;

class HostileMaker {
 public:
  explicit HostileMaker(std::uint64_t seed) : engine_(seed) {}

  graph::Model model(std::string_view op, std::string_view domain) {
    graph::Builder b("hostile", one_of<std::int64_t>({7, 9, 11, 12, 13, 17, 18, 21}));
    if (!domain.empty()) b.model().opsets.push_back({std::string(domain), 1});
    graph::Node node;
    node.op = op;
    node.domain = domain;
    node.name = "hostile";
    const std::int64_t inputs = below(8);
    for (std::int64_t i = 0; i < inputs; ++i) node.inputs.push_back(operand(b));
    const std::int64_t outputs = 1 + below(3);
    for (std::int64_t i = 0; i < outputs; ++i) {
      const ValueId y = b.graph().value("y" + std::to_string(i));
      if (below(2) == 0) {
        auto& value = b.graph().values[static_cast<std::size_t>(y)];
        value.dtype = DType::float32;
        value.shape.emplace();
        for (std::int64_t d : shape()) value.shape->push_back({d, {}});
      }
      node.outputs.push_back(below(8) == 0 && i > 0 ? graph::no_value : y);
    }
    for (std::string_view name :
         {"axis", "group", "blocksize", "num_groups", "batch_dims", "hidden_size", "keepdims", "transA", "layout",
          "channels_last", "spatial", "noop_with_empty_axes", "batch_axis", "time_axis", "num_outputs"})
      if (below(3) == 0) node.set(name, number());
    for (std::string_view name : {"axes", "perm", "split", "starts", "ends", "pads", "kernel_shape", "strides"})
      if (below(4) == 0) node.set(name, numbers());
    if (below(2) == 0) node.set("mode", std::string(one_of<const char*>({"constant", "reflect", "CRD", "DCR", ""})));
    if (op == "Einsum" || below(8) == 0)
      node.set("equation", std::string(one_of<const char*>({"ij,jk->ik", "...i,i...", "ii->i", "bij,bjk", "i,i,i->",
                                                            "...ij,...jk->...ik", "->", "", "ij->ji", ",", "a->bb"})));
    b.graph().nodes.push_back(node);
    // What comes out is summed up, so that its axes stay open.
    graph::Node sum;
    sum.op = "ReduceSum";
    sum.name = "sum";
    sum.inputs = {node.outputs[0]};
    sum.outputs = {b.graph().value("total")};
    sum.set("keepdims", std::int64_t{0});
    b.graph().nodes.push_back(sum);
    b.graph().outputs.push_back(sum.outputs[0]);
    b.graph().reindex();
    return std::move(b).finish();
  }

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n)); }

 private:
  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<std::int64_t>(choices.size()))];
  }
  std::int64_t number() {
    return one_of<std::int64_t>({0, 1, 1, 2, 3, 4, -1, -2, -3, 7, 100, INT64_MAX, INT64_MIN, std::int64_t{1} << 32});
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> out;
    for (std::int64_t n = below(6); n-- > 0;) out.push_back(number());
    return out;
  }
  graph::Shape shape() {
    graph::Shape out;
    for (std::int64_t n = below(5); n-- > 0;) out.push_back(one_of<std::int64_t>({0, 1, 2, 4, 4, 4, 8, 8, 6}));
    return out;
  }
  ValueId operand(graph::Builder& b) {
    const std::string name = "v" + std::to_string(b.graph().values.size());
    switch (below(6)) {
      case 0:
        return graph::no_value;
      case 1:
        return b.ints(numbers());
      case 2:
        return b.initializer(name, filled(shape()));
      case 3: {
        std::vector<graph::Dim> dims;
        for (std::int64_t d : shape()) dims.push_back({d, {}});
        return b.input(name, DType::float32, dims);
      }
      default: {  // an activation with units on its last axis, and sometimes on another one
        const graph::Shape lead = shape();
        std::vector<graph::Dim> dims;
        for (std::int64_t d : lead) dims.push_back({d, {}});
        dims.push_back({3, {}});
        const std::int64_t width = one_of<std::int64_t>({1, 4, 4, 6, 8});
        const ValueId x = b.input(name, DType::float32, dims);
        ValueId h = b.op("MatMul", {x, b.initializer(name + "w", filled({3, width}))});
        if (lead.size() < 2 || below(2) == 0) return h;
        std::vector<std::int64_t> perm(lead.size() + 1);
        for (std::size_t k = 0; k < perm.size(); ++k) perm[k] = static_cast<std::int64_t>(k);
        std::swap(perm[1], perm.back());
        return b.op("Transpose", {h}, {graph::attr("perm", graph::AttributeValue(perm))});
      }
    }
  }

  std::mt19937_64 engine_;
};

struct Tally {
  int prepared = 0, cut = 0;
};

void attack(std::string_view op, std::string_view domain, std::uint64_t seed, Tally& tally) {
  HostileMaker maker(seed);
  graph::Model model;
  try {
    model = maker.model(op, domain);
  } catch (const Error&) {
    return;  // the graph's own checks
  }
  try {
    PrepareOptions options;
    options.coupling.whole_groups = maker.below(3) == 0;
    if (maker.below(3) == 0) options.coupling.attention = coupling::Attention::head_dim;
    Prepared prepared = prepare(std::move(model), options);
    ++tally.prepared;
    std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
    bool any = false;
    for (std::size_t u = 0; u < removed.size(); ++u) {
      removed[u] = !prepared.couplings.units()[u].locked && maker.below(2) == 0;
      any = any || removed[u] != 0;
    }
    inexactness(prepared, removed);
    soften(prepared, removed);
    twin(prepared, removed);
    cut(prepared, removed);
    tally.cut += any;
    lock_inexact(prepared);
  } catch (const Error&) {
  }
}

TEST(Hostile, NoOperatorBreaksTheAnalysisOrTheCut) {
  for (const graph::OpDef& def : graph::all_ops()) {
    if (!coupling::find_rule(def.domain, def.op)) continue;
    Tally tally;
    for (std::uint64_t seed = 1; seed <= 150; ++seed) attack(def.op, def.domain, seed, tally);
    EXPECT_GT(tally.prepared, 100) << def.op;  // preparing never fails on account of a node
  }
}

TEST(Hostile, SmallFilesStaySmall) {
  // Doubled forty times, and stretched to 2^50.
  graph::Builder b("huge");
  ValueId x = b.op("MatMul", {b.input("x", DType::float32, {{2, ""}, {3, ""}}), b.initializer("w", filled({3, 4}))});
  for (int i = 0; i < 40; ++i) x = b.op("Concat", {x, x}, {graph::attr("axis", 1)});
  const ValueId wide = b.op("Expand", {x, b.ints({std::int64_t{1} << 10, 2, 1})});
  const ValueId all = b.op("ConstantOfShape", {b.ints({std::int64_t{1} << 50})});
  b.output(b.op("ReduceSum", {wide}), DType::float32, {});
  b.output(b.op("ReduceSum", {all}), DType::float32, {});
  b.initializer("empty", graph::Tensor{DType::float32, {std::int64_t{1} << 40, 0}, {}, nullptr});
  b.output(b.op("ReduceSum", {b.op("Neg", {b.graph().find("empty")})}), DType::float32, {});
  const Prepared prepared = prepare(std::move(b).finish());
  EXPECT_LT(prepared.couplings.units().size(), 100u << 20);
}

}  // namespace
}  // namespace coppice::pruning
