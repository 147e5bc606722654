#include <cstdio>
#include <map>
#include <string>

#include "coppice/graph/infer.hpp"

#include "coupling/rules/rules.hpp"

// Prints docs/coverage.md: what is known of each operator.
namespace {

const char* mark(bool known) {
  return known ? "yes" : "";
}

}  // namespace

int main() {
  using namespace coppice;
  std::map<std::string, std::map<std::string, const graph::OpDef*>> domains;
  for (const graph::OpDef& op : graph::all_ops()) domains[std::string(op.domain)][std::string(op.op)] = &op;

  std::puts(
      "# Operators\n\n"
      "This page is written by `build/release/coverage > docs/coverage.md`; a test fails when it is out of date.\n\n"
      "- **shapes**: the shapes of its outputs follow from its inputs. Without it, the shapes that the file declares "
      "are\n"
      "  used, and what they leave open is locked (`unknown_shape`).\n"
      "- **MACs**: its multiply-accumulates are counted; the others have none.\n"
      "- **axes**: channels, heads and neurons can be followed through it. Without it, what it touches is locked\n"
      "  (`unknown_operator`) and passes through unchanged.\n\n"
      "Operators that are not listed, such as those of domains of your own, lock what they touch.");
  for (const auto& [domain, ops] : domains) {
    std::size_t shapes = 0, axes = 0;
    for (const auto& [name, op] : ops) {
      shapes += op->infer != nullptr;
      axes += coupling::find_rule(op->domain, op->op) != nullptr;
    }
    std::printf("\n## %s\n\n%zu operators: %zu with shapes, %zu with axes.\n\n",
                domain.empty() ? "ai.onnx (the default domain)" : domain.c_str(), ops.size(), shapes, axes);
    std::puts("| operator | shapes | MACs | axes |\n|---|---|---|---|");
    for (const auto& [name, op] : ops)
      std::printf("| %s | %s | %s | %s |\n", name.c_str(), mark(op->infer != nullptr), mark(op->macs != nullptr),
                  mark(coupling::find_rule(op->domain, op->op) != nullptr));
  }
  return 0;
}
