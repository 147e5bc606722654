#include <cstdio>
#include <cstdlib>
#include <string>

#include "coppice/formats/onnx.hpp"

#include "support/special_graphs.hpp"

int main(int argc, char** argv) {
  using namespace coppice::test;
  if (argc != 3) {
    std::fputs("usage: write_random_graph SEED|SPECIAL-NAME OUT.onnx\n", stderr);
    return 2;
  }
  const std::string which = argv[1];
  RandomGraph graph;
  for (const SpecialGraph& special : special_graphs())
    if (special.name == which) graph = build(special);
  if (graph.blocks.empty()) graph = random_graph(std::strtoull(argv[1], nullptr, 10));
  coppice::formats::write_onnx(graph.model, argv[2]);
  std::puts(graph.story().c_str());
  return 0;
}
