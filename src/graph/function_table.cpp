#include "graph/function_table.hpp"

#include <algorithm>

#include "coppice/base/error.hpp"

namespace coppice::graph {
namespace {

std::string key_of(const std::string& domain, const std::string& name, const std::string& overload) {
  return domain + '\0' + name + '\0' + overload;
}

}  // namespace

std::string full_name(const Function& function) {
  return function.domain.empty() ? function.name : function.domain + "." + function.name;
}

FunctionTable::FunctionTable(const Model& model) : model_(model) {
  for (std::size_t i = 0; i < model.functions.size(); ++i) {
    const Function& f = model.functions[i];
    if (!by_key_.emplace(key_of(f.domain, f.name, f.overload), i).second)
      throw Error("function \"" + full_name(f) + "\" is defined twice");
  }
}

const Function* FunctionTable::callee(const Node& node) const {
  if (by_key_.empty()) return nullptr;
  const auto found = by_key_.find(key_of(node.domain, node.op, node.overload));
  return found == by_key_.end() ? nullptr : &model_.functions[found->second];
}

std::size_t FunctionTable::index_of(const Function& function) const {
  return static_cast<std::size_t>(&function - model_.functions.data());
}

void FunctionTable::check_acyclic() const {
  const std::size_t count = model_.functions.size();
  std::vector<std::vector<std::size_t>> callers(count);
  std::vector<std::size_t> waiting(count, 0), order;
  for (std::size_t i = 0; i < count; ++i) {
    auto visit = [&](const Node& node) {
      const Function* called = callee(node);
      if (!called) return;
      callers[index_of(*called)].push_back(i);
      ++waiting[i];
    };
    for_each_node(model_.functions[i].body, visit);
  }
  for (std::size_t i = 0; i < count; ++i)
    if (waiting[i] == 0) order.push_back(i);
  for (std::size_t next = 0; next < order.size(); ++next)
    for (std::size_t caller : callers[order[next]])
      if (--waiting[caller] == 0) order.push_back(caller);
  if (order.size() == count) return;
  const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](std::size_t w) { return w > 0; });
  throw Error("function \"" + full_name(model_.functions[static_cast<std::size_t>(stuck - waiting.begin())]) +
              "\" calls itself, or a function that does");
}

}  // namespace coppice::graph
