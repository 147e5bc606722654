// Writes small valid inputs, one folder a fuzz target, from which fuzzing starts.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <zlib.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/formats/packed.hpp"
#include "coppice/formats/safetensors.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/pruning/plan.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/zoo/zoo.hpp"

#include "picture_seeds.hpp"
#include "support/npz.hpp"
#include "support/special_graphs.hpp"

namespace {
using namespace coppice::graph;

Model convolution() {
  Builder b("convolution");
  const auto x = b.input("x", DType::float32, {{-1, "batch"}, {2, {}}, {4, {}}, {4, {}}});
  const std::vector<float> weights(16, 0.25f), bias(2, 1.0f);
  const auto w = b.initializer("conv.weight", Tensor::of<float>(DType::float32, {2, 2, 2, 2}, weights));
  const auto c = b.initializer("conv.bias", Tensor::of<float>(DType::float32, {2}, bias));
  const auto y = b.op("Conv", {x, w, c}, {attr("pads", std::vector<std::int64_t>{0, 0, 1, 1})}, "conv");
  const auto z = b.op("Reshape", {b.op("Relu", {y}), b.ints({0, -1})}, {}, "flat");
  b.output(z, DType::float32, {{-1, "batch"}, {-1, {}}});
  return std::move(b).finish();
}

Model mostly_zero() {
  Model model = convolution();
  std::vector<float> weights(64);
  weights[5] = 1;
  model.graph.initializers[0].tensor = Tensor::of<float>(DType::float32, {2, 2, 4, 4}, weights);
  return model;
}

Model branches() {
  Builder b("branches");
  const auto x = b.input("x", DType::float32, {{3, {}}});
  const auto flag = b.input("flag", DType::boolean, {});
  const auto branch = [&](const char* op) {
    auto graph = std::make_shared<Graph>();
    graph->name = op;
    const ValueId in = graph->value("x"), out = graph->value(std::string(op) + "_out");
    graph->values[static_cast<std::size_t>(in)].captured = true;
    graph->nodes.push_back({.op = op, .inputs = {in}, .outputs = {out}});
    graph->outputs = {out};
    graph->reindex();
    return GraphPtr(graph);
  };
  const auto y = b.op("If", {flag}, {attr("then_branch", branch("Exp")), attr("else_branch", branch("Neg"))}, "if");
  b.output(b.op("Add", {x, y}), DType::float32, {{3, {}}});
  return std::move(b).finish();
}

Model function_calls() {
  Builder b("calls");
  const auto x = b.input("x", DType::float16, {{-1, {}}});
  const auto y = b.op("Scale", {x}, {attr("k", 2.0f)}, "first");
  b.output(b.op("Scale", {y}, {}, "second"), DType::float16, {{-1, {}}});
  Model model = std::move(b).finish();
  for (Node& node : model.graph.nodes) node.domain = "local";
  Function f{.name = "Scale", .domain = "local", .inputs = {"a"}, .outputs = {"b"}};
  f.attribute_defaults = {attr("k", 1.0f)};
  f.opsets = {{"", 17}};
  Graph& body = f.body;
  body.inputs = {body.value("a")};
  body.outputs = {body.value("b")};
  const ValueId k = body.value("k");
  body.nodes.push_back({.op = "Constant", .outputs = {k}, .attributes = {{"value_float", {}, "k", {}}}});
  body.nodes.push_back({.op = "Mul", .inputs = {body.inputs[0], k}, .outputs = {body.outputs[0]}});
  body.reindex();
  model.functions.push_back(std::move(f));
  model.opsets.push_back({"local", 1});
  return model;
}

std::string mlp_plan() {
  coppice::pruning::Prepared prepared = coppice::pruning::prepare(coppice::zoo::build("mlp"));
  const auto selection = coppice::pruning::select(prepared, {.ratio = 0.9});
  return to_json(coppice::pruning::make_plan(prepared, selection.removed, {{"ratio", "0.9"}}));
}

void save_text(const std::filesystem::path& folder, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary) << text;
}

std::string gzip(std::string text) {
  std::string out(1000, '\0');
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  z.next_in = reinterpret_cast<Bytef*>(text.data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

void save(const std::filesystem::path& folder, const std::string& name, const Model& model,
          coppice::formats::Encoding encoding = coppice::formats::Encoding::dense) {
  std::filesystem::create_directories(folder);
  coppice::formats::write_onnx(model, (folder / name).string(), {.encoding = encoding});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: make_fuzz_seeds FOLDER\n");
    return 2;
  }
  try {
    const std::filesystem::path folder(arguments[1]);
    save(folder / "onnx_reader", "convolution.onnx", convolution());
    save(folder / "onnx_reader", "branches.onnx", branches());
    save(folder / "onnx_reader", "sparse.onnx", mostly_zero(), coppice::formats::Encoding::sparse_initializer);
    save(folder / "onnx_reader", "function_calls.onnx", function_calls());
    save(folder / "prune", "convolution.onnx", convolution());
    save(folder / "prune", "branches.onnx", branches());
    save_text(folder / "plan_reader", "mlp.json", mlp_plan());
    save_text(folder / "plan_reader", "empty.json", to_json(coppice::pruning::Plan{}));
    const std::vector<double> numbers{1, 2, 3, 4, 5, 6};
    for (const auto dtype : {coppice::tensor::DType::float32, coppice::tensor::DType::boolean})
      save_text(folder / "npy", std::string(name(dtype)) + ".npy",
                coppice::formats::write_npy_bytes(coppice::tensor::from_doubles(dtype, {2, 3}, numbers)));
    const auto array = coppice::tensor::from_doubles(coppice::tensor::DType::float32, {2, 3}, numbers);
    save_text(folder / "npz", "pair.npz", coppice::test::npz({{"x", array}, {"y", array}}));
    const std::string idx("\0\0\x0b\2\0\0\0\1\0\0\0\2\1\2\3\4", 16);
    save_text(folder / "idx", "matrix.idx", idx);
    save_text(folder / "idx", "matrix.gz", gzip(idx));
    for (const auto& [file, bytes] : coppice::fuzz::picture_seeds()) save_text(folder / "picture", file, bytes);
    std::filesystem::create_directories(folder / "safetensors");
    coppice::formats::write_safetensors({{"x", array}, {"y", array}}, folder / "safetensors" / "pair.safetensors",
                                        coppice::formats::SafetensorsMetadata{{"format", "pt"}});
    std::filesystem::create_directories(folder / "packed");
    const std::vector<float> mostly(1000);
    coppice::formats::write_safetensors({{"w", Tensor::of<float>(DType::float32, {10, 100}, mostly)}},
                                        folder / "plain.safetensors");
    coppice::formats::pack_checkpoint(coppice::formats::SafetensorsSet(folder / "plain.safetensors"),
                                      folder / "packed" / "checkpoint.safetensors");
    Model zeros = mostly_zero();
    zeros.graph.initializers[0].tensor = Tensor::of<float>(DType::float32, {2, 2, 10, 25}, mostly);
    coppice::formats::pack_model(zeros, folder / "packed" / "model.safetensors");
    save_text(folder / "safetensors_index", "two.json",
              R"({"metadata": {"total_size": 48}, "weight_map": {"x": "a.safetensors", "y": "b.safetensors"}})");
    for (const coppice::test::SpecialGraph& special : coppice::test::special_graphs())
      save(folder / "prune", std::string(special.name) + ".onnx", coppice::test::build(special).model);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
