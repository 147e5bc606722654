#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/infer.hpp"

#include "graph/ops/content.hpp"

/// Shape inference against ONNX's own conformance cases: every case is a model of one operator or a few, with real
/// inputs and the outputs that they must give. Debian ships them as libonnx-testdata.
namespace coppice::formats {
namespace {

namespace fs = std::filesystem;
using graph::Fact;
using graph::Facts;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

const fs::path data_folder = "/usr/share/libonnx-testdata/data";

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A length-delimited protobuf field.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 128; size >>= 7) out += static_cast<char>((size & 127) | 128);
  out += static_cast<char>(size);
  return out + bytes;
}

// The cases store bare TensorProtos: a model with nothing but that one initializer can be read.
Tensor read_tensor(const fs::path& path) {
  const std::string named = slurp(path) + field(8, "t");
  const std::string model = std::string("\x08\x08", 2) + field(7, field(2, "g") + field(5, named)) +
                            field(8, std::string("\x0a\x00\x10\x0d", 4));
  const auto bytes = tensor::Bytes::copy(std::as_bytes(std::span(model)));
  return read_onnx(bytes, path.string()).graph.initializers.at(0).tensor;
}

struct Tally {
  int cases = 0, outputs = 0, complete = 0;
  std::string wrong;                      ///< One line a contradiction.
  std::map<std::string, int> incomplete;  ///< Outputs with an extent that inference leaves open, by operator.
};

bool agrees(const Fact& fact, const Tensor& found) {
  // The cases were written with numpy, which has no bfloat16.
  const DType stored = fact.dtype == DType::bfloat16 ? DType::uint16 : fact.dtype;
  if (stored != DType::undefined && stored != found.dtype) return false;
  if (!fact.ranked) return true;
  return std::equal(fact.shape.begin(), fact.shape.end(), found.shape.begin(), found.shape.end(),
                    [](std::int64_t a, std::int64_t b) { return a < 0 || a == b; });
}

std::string show(const Fact& fact) {
  std::string out(tensor::name(fact.dtype));
  if (!fact.ranked) return out + " of unknown rank";
  out += " (";
  for (std::int64_t extent : fact.shape) out += std::to_string(extent) + ' ';
  return out + ')';
}

void run_case(const fs::path& folder, const std::string& name, Tally& tally) {
  graph::Model model = read_onnx((folder / "model.onnx").string());
  graph::Graph& g = model.graph;
  // Results must come from the operators, not from what the file declares of them.
  for (graph::Value& value : g.values)
    if (!value.is_input) value.shape.reset(), value.dtype = DType::undefined;
  Facts facts = initial_facts(model, g, {});
  const fs::path set = folder / "test_data_set_0";
  for (std::size_t i = 0; i < g.inputs.size(); ++i) {
    const fs::path file = set / ("input_" + std::to_string(i) + ".pb");
    const auto id = static_cast<std::size_t>(g.inputs[i]);
    if (!fs::exists(file) || g.values[id].dtype == DType::undefined) continue;
    const Tensor tensor = read_tensor(file);
    facts[id] = {tensor.dtype, true, tensor.shape, graph::ops::content_of(tensor)};
  }
  std::string op;
  for (const graph::Node& node : g.nodes) {
    op = node.op;
    infer_node(model, g, node, facts);
  }
  ++tally.cases;
  for (std::size_t i = 0; i < g.outputs.size(); ++i) {
    const fs::path file = set / ("output_" + std::to_string(i) + ".pb");
    const Fact& fact = facts[static_cast<std::size_t>(g.outputs[i])];
    if (!fs::exists(file)) continue;
    ++tally.outputs;
    if (!fact.complete()) {
      ++tally.incomplete[op];
      if (!fact.ranked) continue;
    }
    const Tensor found = read_tensor(file);
    if (fact.complete()) ++tally.complete;
    if (!agrees(fact, found))
      tally.wrong += name + " output " + std::to_string(i) + ": inferred " + show(fact) + ", the case has " +
                     show(Fact::of(found.dtype, found.shape)) + "\n";
  }
}

TEST(NodeCases, InferredShapesEqualStoredOnes) {
  if (!fs::exists(data_folder / "node")) GTEST_SKIP() << "libonnx-testdata is not installed";
  Tally tally;
  for (const char* group : {"node", "simple", "pytorch-operator", "pytorch-converted"}) {
    for (const auto& entry : fs::directory_iterator(data_folder / group)) {
      const std::string name = entry.path().filename().string();
      if (!fs::exists(entry.path() / "model.onnx")) continue;
      try {
        run_case(entry.path(), name, tally);
      } catch (const std::exception& error) {
        tally.wrong += name + ": " + error.what() + "\n";
      }
    }
  }
  EXPECT_EQ(tally.wrong, "");
  EXPECT_GT(tally.complete, 1000);
  // What these give depends on data, runs a subgraph, or is a sequence.
  const std::set<std::string> allowed = {
      "Adagrad",    "Adam",           "ConcatFromSequence", "Gradient",         "Identity",           "If",
      "Loop",       "Momentum",       "NonMaxSuppression",  "NonZero",          "OptionalGetElement", "Scan",
      "SequenceAt", "SequenceInsert", "SequenceMap",        "StringNormalizer", "StringSplit",        "Unique"};
  for (const auto& [op, count] : tally.incomplete)
    EXPECT_TRUE(allowed.contains(op)) << count << " outputs of " << op << " are open";
}

}  // namespace
}  // namespace coppice::formats
