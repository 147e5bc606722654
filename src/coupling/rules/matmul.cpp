#include <map>
#include <string>

#include "coupling/rules/rules.hpp"

namespace coppice::coupling {

void matrix_product(RuleContext& c, std::size_t a, std::size_t b) {
  const std::size_t ra = c.rank(a), rb = c.rank(b);
  c.mix_contraction(a, ra - 1, b, rb == 1 ? 0 : rb - 2);
  std::size_t k = c.out_rank();
  if (rb > 1) c.set(0, --k, c.axis(b, rb - 1));
  if (ra > 1) c.set(0, --k, c.axis(a, ra - 2));
  const bool activations = !c.constant(a) && !c.constant(b);
  for (std::size_t depth = 3; k-- > 0; ++depth) {
    const bool in_a = ra >= depth, in_b = rb >= depth;
    const std::int64_t length = c.out_shape()[k];
    const auto usable = [&](std::size_t i, std::size_t r) {
      if (c.shape(i)[r - depth] == length) return true;
      c.lock(i, r - depth, Reason::broadcast_slice);
      return false;
    };
    const bool use_a = in_a && usable(a, ra), use_b = in_b && usable(b, rb);
    Axis out = State::free_axis(length);
    if (use_a && use_b) {
      out = c.meet(c.axis(a, ra - depth), c.axis(b, rb - depth));
      if (activations && out.tracked()) c.state().flag(out, State::batch);
    } else if (use_a || use_b) {
      out = use_a ? c.axis(a, ra - depth) : c.axis(b, rb - depth);
    }
    c.set(0, k, out);
  }
}

namespace {

void matmul(RuleContext& c) {
  matrix_product(c, 0, 1);
}

void gemm(RuleContext& c) {
  const bool ta = c.node().int_or("transA", 0) != 0, tb = c.node().int_or("transB", 0) != 0;
  c.mix_contraction(0, ta ? 0 : 1, 1, tb ? 1 : 0);
  std::vector<Axis> out{c.axis(0, ta ? 1 : 0), c.axis(1, tb ? 0 : 1)};
  if (c.has(2)) {
    const std::size_t r = c.rank(2);
    for (std::size_t k = 0; k < r; ++k) {
      const std::size_t o = k + 2 - r;
      if (o >= out.size()) return c.lock_all(Reason::unknown_shape);
      if (c.shape(2)[k] != out[o].length) {
        c.lock(2, k, Reason::broadcast_slice);
      } else if (out[o].length > 1 || c.peek(2, k).tracked()) {
        out[o] = c.meet(out[o], c.axis(2, k));
      }
    }
  }
  c.set(0, out);
}

// A term of an Einsum equation as labels; an ellipsis becomes the labels '0', '1', ... counted from the right.
std::string expand_term(const std::string& term, std::size_t rank) {
  const auto dots = term.find("...");
  if (dots == std::string::npos) return term;
  const std::size_t letters = term.size() - 3;
  if (rank > letters + 10) return term;  // no label for that many axes; the rule locks
  std::string middle;
  for (std::size_t i = rank - std::min(rank, letters); i-- > 0;) middle += static_cast<char>('0' + i);
  return term.substr(0, dots) + middle + term.substr(dots + 3);
}

void einsum(RuleContext& c) {
  std::string equation = c.node().string_or("equation", "");
  std::erase(equation, ' ');
  const auto arrow = equation.find("->");
  std::string left = equation.substr(0, arrow);
  std::vector<std::string> terms;
  for (std::size_t begin = 0; begin <= left.size();) {
    const auto comma = std::min(left.find(',', begin), left.size());
    terms.push_back(left.substr(begin, comma - begin));
    begin = comma + 1;
  }
  const std::size_t n = c.node().inputs.size();
  if (terms.size() != n || n > 16) return c.lock_all(Reason::unknown_shape);
  std::map<char, int> count;
  for (std::size_t i = 0; i < n; ++i) {
    terms[i] = expand_term(terms[i], c.rank(i));
    if (terms[i].size() != c.rank(i)) return c.lock_all(Reason::unknown_shape);
    for (char label : terms[i]) ++count[label];
  }
  std::string right;
  if (arrow != std::string::npos) {
    right = expand_term(equation.substr(arrow + 2), c.out_rank());
  } else {  // the ellipsis outermost first, then the labels that stand once
    for (auto it = count.rbegin(); it != count.rend(); ++it)
      if (it->first >= '0' && it->first <= '9') right += it->first;
    for (const auto& [label, times] : count)
      if (times == 1 && !(label >= '0' && label <= '9')) right += label;
  }
  if (right.size() != c.out_rank()) return c.lock_all(Reason::unknown_shape);
  const bool activations = n == 2 && !c.constant(0) && !c.constant(1);
  std::map<char, Axis> met;
  std::map<char, std::vector<std::pair<std::size_t, std::size_t>>> places;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < terms[i].size(); ++k) {
      const char label = terms[i][k];
      const Axis axis = c.axis(i, k);
      places[label].push_back({i, k});
      const auto it = met.find(label);
      if (it == met.end()) {
        met.emplace(label, axis);
      } else if (it->second.length == axis.length) {
        it->second = c.meet(it->second, axis);
      } else {
        c.lock(axis.length == 1 ? axis : it->second, Reason::broadcast_slice);
        if (it->second.length == 1) it->second = axis;
      }
    }
  for (const auto& [label, where] : places) {
    const bool kept = right.find(label) != std::string::npos;
    const Axis& axis = met.at(label);
    if (!axis.tracked()) continue;
    const bool diagonal = where.size() > 1 && where[0].first == where[1].first;
    if (diagonal || where.size() > 2) {
      c.lock(axis, Reason::ordered_axis);
    } else if (!kept && where.size() == 1) {
      c.mix(Mixing::sum, where[0].first, where[0].second);
    } else if (!kept) {
      c.mix_contraction(where[0].first, where[0].second, where[1].first, where[1].second);
    } else if (where.size() == 2 && activations) {
      c.state().flag(axis, State::batch);
    }
  }
  for (std::size_t k = 0; k < right.size(); ++k)
    if (const auto it = met.find(right[k]); it != met.end()) c.set(0, k, it->second);
}

}  // namespace

void add_matmul_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "MatMul", matmul});
  rules.push_back({"", "Gemm", gemm});
  rules.push_back({"com.microsoft", "FusedGemm", gemm});
  rules.push_back({"", "Einsum", einsum});
}

}  // namespace coppice::coupling
