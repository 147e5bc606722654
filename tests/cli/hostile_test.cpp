#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using graph::Builder;
using graph::ValueId;
using tensor::DType;

tensor::Tensor ramp(tensor::Shape shape) {
  std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 13) + 1;
  return tensor::Tensor::of<float>(DType::float32, std::move(shape), values);
}

/// x[1,WIDTH] -> Gemm w1[16,8] -> LayerNormalization -> Gemm w2[4,16], with `first` as the name of its first node.
std::string write_layers(const Scratch& scratch, const std::string& first, std::int64_t width) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{1, {}}, {width, {}}});
  const ValueId w1 = b.initializer(first + ".weight", ramp({16, 8})), w2 = b.initializer("w2", ramp({4, 16}));
  const ValueId h = b.op("Gemm", {x, w1}, {graph::attr("transB", 1)}, first);
  const ValueId n = b.op("LayerNormalization", {h, b.initializer("scale", ramp({16}))}, {}, first + "norm");
  b.output(b.op("Gemm", {n, w2}, {graph::attr("transB", 1)}, "fc2"), DType::float32, {{1, {}}, {4, {}}});
  std::string path = scratch / "model.onnx";
  formats::write_onnx(std::move(b).finish(), path);
  return path;
}

TEST(Hostile, NamesReachNoTerminalRaw) {
  const Scratch scratch;
  const std::string file = write_layers(scratch, "\x1b[31mred\x1b]0;title\x07\n", 8), out = scratch / "out.onnx";
  const std::vector<std::vector<std::string>> reports{
      {"inspect", file, "--groups", "--locks"}, {"prune", file, "-o", out, "--ratio", "50%"}, {"diff", file, out}};
  for (const std::vector<std::string>& arguments : reports) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("?[31mred"), std::string::npos) << outcome.out;
    for (const char c : outcome.out + outcome.err)
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n') << arguments[0];
    // A newline in a name breaks no line: what follows it stands on the same one.
    EXPECT_EQ(outcome.out.find("\nnorm"), std::string::npos) << outcome.out;
  }
  // JSON escapes by itself, and keeps the name.
  EXPECT_EQ(run_json({"inspect", file})["layers"][0]["name"], "\x1b[31mred\x1b]0;title\x07\n");
}

TEST(Hostile, LongNamesMakeNoLineTwice) {
  const Scratch scratch;
  Builder b("g");
  ValueId x = b.input("x", DType::float32, {{1, {}}, {8, {}}});
  const std::string start(70, 'a'), end(70, 'z');
  for (const char* middle : {"1", "2", "3"}) {
    const std::string name = start + middle + end;
    const ValueId w = b.initializer(name + "w", ramp({8, 8})), scale = b.initializer(name + "s", ramp({8}));
    x = b.op("LayerNormalization", {b.op("Gemm", {x, w}, {graph::attr("transB", 1)}, name + "g"), scale}, {}, name);
  }
  x = b.op("Gemm", {x, b.initializer("w", ramp({4, 8}))}, {graph::attr("transB", 1)}, "last");
  b.output(x, DType::float32, {{1, {}}, {4, {}}});
  const std::string file = scratch / "long.onnx";
  formats::write_onnx(std::move(b).finish(), file);
  const std::string out = run({"prune", file, "--dry-run", "--ratio", "50%"}).out;
  const std::size_t first = out.find("  LayerNormalization \"");
  ASSERT_NE(first, std::string::npos) << out;
  EXPECT_EQ(out.find("  LayerNormalization \"", first + 1), std::string::npos) << out;
  EXPECT_NE(out.find("\n  and 2 more\n"), std::string::npos) << out;
}

TEST(Hostile, WhyNothingCanBePrunedNamesTheContradiction) {
  const Scratch scratch;
  const std::string file = write_layers(scratch, "fc1", 9);
  const Outcome outcome = run({"prune", file, "--dry-run", "--ratio", "50%"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("nothing can be pruned"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("; Gemm \"fc1\": contracted extent: expected 9, found 8"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

}  // namespace
}  // namespace coppice::test
