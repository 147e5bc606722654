#include <cstdio>

#include <coppice/formats/onnx.hpp>
#include <coppice/graph/builder.hpp>

// Builds a model, writes it, reads it back.
int main(int argc, char** argv) {
  using namespace coppice;
  if (argc != 2) return 2;
  graph::Builder builder("tiny");
  const graph::ValueId x = builder.input("x", tensor::DType::float32, {{1, {}}, {4, {}}});
  builder.output(builder.op("Relu", {x}, {}, "y"), tensor::DType::float32, {{1, {}}, {4, {}}});
  formats::write_onnx(std::move(builder).finish(), argv[1]);
  const graph::Model model = formats::read_onnx(argv[1]);
  std::printf("%s: %zu node\n", model.graph.name.c_str(), model.graph.nodes.size());
  return model.graph.nodes.size() == 1 ? 0 : 1;
}
