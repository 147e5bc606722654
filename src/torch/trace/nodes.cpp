#include <algorithm>
#include <array>

#include "torch/trace/translation.hpp"

namespace coppice::tracing {
namespace {

// contiguous(), to() and dropout() are not here: where they share memory they return the very tensor they are given,
// and the recording goes on with the result.
constexpr std::array<std::string_view, 38> views{"alias",
                                                 "as_strided",
                                                 "chunk",
                                                 "detach",
                                                 "diagonal",
                                                 "expand",
                                                 "expand_as",
                                                 "flatten",
                                                 "hsplit",
                                                 "imag",
                                                 "index",
                                                 "movedim",
                                                 "moveaxis",
                                                 "mT",
                                                 "narrow",
                                                 "numpy_T",
                                                 "permute",
                                                 "real",
                                                 "reshape",
                                                 "reshape_as",
                                                 "select",
                                                 "slice",
                                                 "split",
                                                 "squeeze",
                                                 "swapaxes",
                                                 "swapdims",
                                                 "t",
                                                 "tensor_split",
                                                 "transpose",
                                                 "unbind",
                                                 "unflatten",
                                                 "unfold",
                                                 "unsqueeze",
                                                 "view",
                                                 "view_as",
                                                 "vsplit",
                                                 "_unsafe_view",
                                                 "split_with_sizes"};

}  // namespace

std::vector<const JitValue*> results_of(const JitNode* node) {
  std::vector<const JitValue*> out;
  for (const JitValue* value : node->outputs()) {
    if (value->type()->kind() != c10::TypeKind::ListType) {
      out.push_back(value);
      continue;
    }
    for (const torch::jit::Use& use : value->uses())
      if (use.user->kind() == c10::prim::ListUnpack)
        out.insert(out.end(), use.user->outputs().begin(), use.user->outputs().end());
  }
  return out;
}

bool writes(const JitNode* node) {
  const std::string_view name = node->kind().toUnqualString();
  return name.size() > 1 && name.back() == '_' && name[name.size() - 2] != '_';
}

std::string_view plain_name(const JitNode* node) {
  std::string_view name = node->kind().toUnqualString();
  if (writes(node)) name.remove_suffix(1);
  return name;
}

bool makes_view(std::string_view op) {
  return std::find(views.begin(), views.end(), op) != views.end();
}

}  // namespace coppice::tracing
