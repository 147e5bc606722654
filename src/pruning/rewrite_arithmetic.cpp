#include "coppice/base/at.hpp"

#include "pruning/cutter.hpp"

namespace coppice::pruning {

// Mul, Div, Add, Sub: one operand stays, the other must become what the result needs.
graph::ValueId Cutter::solve_arithmetic(const graph::Node& source, const Wanted& wanted, int depth, bool exclusive) {
  const bool mul = source.is("Mul"), div = source.is("Div"), add = source.is("Add"), sub = source.is("Sub");
  if (!(mul || div || add || sub)) return graph::no_value;
  // A literal before a number that is computed.
  const std::size_t better = graph().constant(source.inputs[0]) && !graph().constant(source.inputs[1]) ? 0 : 1;
  for (std::size_t change : {better, 1 - better}) {
    const graph::ValueId fixed = source.inputs[1 - change], moving = source.inputs[change];
    const auto& shape = after_[0][at(moving)].content;
    if (!shape) continue;
    Wanted inner(wanted.size(), std::vector<std::optional<std::int64_t>>(shape->ints.size()));
    bool possible = true;
    for (std::size_t w = 0; w < wanted.size() && possible; ++w) {
      const auto& f = after_[w][at(fixed)].content;
      if (!f || f->ints.empty() || inner[w].empty()) possible = false;
      for (std::size_t i = 0; i < wanted[w].size() && possible; ++i) {
        if (!wanted[w][i]) continue;
        const std::size_t fi = f->ints.size() == 1 ? 0 : i, mi = inner[w].size() == 1 ? 0 : i;
        if (fi >= f->ints.size() || mi >= inner[w].size() || !f->known(fi)) {
          possible = false;
          break;
        }
        const std::int64_t r = *wanted[w][i], c = f->ints[fi];
        std::int64_t need = 0;
        if (mul) {
          possible = c != 0 && c != -1 && r % c == 0;
          need = possible ? r / c : 0;
        } else if (div && change == 1) {
          possible = r > 0 && c > 0 && c / r != 0 && c / (c / r) == r;
          need = possible ? c / r : 0;
        } else if (div) {
          possible = !__builtin_mul_overflow(r, c, &need);
        } else if (add) {
          possible = !__builtin_sub_overflow(r, c, &need);
        } else {
          possible = change == 1 ? !__builtin_sub_overflow(c, r, &need) : !__builtin_add_overflow(r, c, &need);
        }
        if (possible && inner[w][mi] && *inner[w][mi] != need) possible = false;
        inner[w][mi] = need;
      }
    }
    if (!possible) continue;
    const graph::ValueId now = solve(moving, inner, depth + 1, exclusive);
    if (now == graph::no_value) continue;
    std::vector<graph::ValueId> inputs = source.inputs;
    inputs[change] = now;
    return clone(source, std::move(inputs));
  }
  return graph::no_value;
}

}  // namespace coppice::pruning
