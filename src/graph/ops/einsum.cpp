#include <algorithm>
#include <array>

#include "graph/ops/contraction.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/macs.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

bool is_letter(char ch) {
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
}

EinsumTerm parse_term(std::string_view text) {
  EinsumTerm out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 3) == "..." && !out.ellipsis) {
      out.ellipsis = true;
      out.ellipsis_at = out.labels.size();
      i += 2;
    } else if (is_letter(text[i])) {
      out.labels += text[i];
    } else {
      fail("equation: expected letters and one ellipsis a term, found " + std::string(text));
    }
  }
  return out;
}

EinsumTerm implicit_result(const std::vector<EinsumTerm>& operands) {
  std::array<int, 128> count{};
  EinsumTerm out;
  for (const EinsumTerm& term : operands) {
    out.ellipsis = out.ellipsis || term.ellipsis;
    for (char label : term.labels) ++count[static_cast<std::size_t>(label)];
  }
  for (std::size_t ch = 0; ch < count.size(); ++ch)
    if (count[ch] == 1) out.labels += static_cast<char>(ch);
  return out;
}

void check_result(const Einsum& einsum) {
  for (std::size_t i = 0; i < einsum.result.labels.size(); ++i) {
    const char label = einsum.result.labels[i];
    const bool known = std::any_of(einsum.operands.begin(), einsum.operands.end(), [&](const EinsumTerm& term) {
      return term.labels.find(label) != std::string::npos;
    });
    if (!known || einsum.result.labels.find(label, i + 1) != std::string::npos)
      fail(std::string("equation: expected each letter of the result once and in an operand, found ") + label);
  }
}

void meet(std::int64_t& have, std::int64_t extent, char label) {
  if (have < 0 || have == 1) {
    if (extent >= 0) have = extent;
  } else if (extent >= 0 && extent != 1 && extent != have) {
    fail(std::string("extent of ") + label + ": expected " + std::to_string(have) + ", found " +
         std::to_string(extent));
  }
}

}  // namespace

Einsum parse_einsum(std::string_view equation) {
  std::string text;
  for (char ch : equation)
    if (ch != ' ') text += ch;
  Einsum out;
  const std::size_t arrow = text.find("->");
  const std::string_view left = std::string_view(text).substr(0, arrow);
  std::size_t start = 0;
  for (std::size_t end = 0; end != std::string_view::npos; start = end + 1) {
    end = left.find(',', start);
    out.operands.push_back(parse_term(left.substr(start, end == std::string_view::npos ? end : end - start)));
  }
  out.result =
      arrow == std::string::npos ? implicit_result(out.operands) : parse_term(std::string_view(text).substr(arrow + 2));
  check_result(out);
  return out;
}

EinsumExtents einsum_extents(const Einsum& einsum, const std::vector<const Fact*>& operands) {
  EinsumExtents out{std::vector<std::int64_t>(128, unknown), {}, {}};
  for (std::size_t o = 0; o < operands.size(); ++o) {
    const EinsumTerm& term = einsum.operands[o];
    const Shape& shape = operands[o]->shape;
    const std::size_t letters = term.labels.size();
    if (shape.size() < letters || (!term.ellipsis && shape.size() != letters))
      fail("operand " + std::to_string(o) + ": expected rank " + std::to_string(letters) + ", found " + show(shape));
    const std::size_t hidden = shape.size() - letters;
    for (std::size_t i = 0; i < letters; ++i) {
      const char label = term.labels[i];
      const std::size_t axis = term.ellipsis && i >= term.ellipsis_at ? i + hidden : i;
      meet(out.letters[static_cast<std::size_t>(label)], shape[axis], label);
      if (out.used.find(label) == std::string::npos) out.used += label;
    }
    const auto first = shape.begin() + static_cast<std::ptrdiff_t>(term.ellipsis_at);
    if (term.ellipsis)
      out.ellipsis = broadcast(out.ellipsis, Shape(first, first + static_cast<std::ptrdiff_t>(hidden)));
  }
  return out;
}

namespace {

void infer_einsum(InferContext& c) {
  expect_inputs(c, 1);
  const DType dtype = c.in(0).dtype;
  const Einsum einsum = parse_einsum(c.node().string_or("equation", ""));
  if (einsum.operands.size() != c.input_count())
    fail("equation: expected " + std::to_string(c.input_count()) + " operands, found " +
         std::to_string(einsum.operands.size()));
  std::vector<const Fact*> facts;
  for (std::size_t i = 0; i < c.input_count(); ++i) facts.push_back(&c.in(i));
  if (!std::all_of(facts.begin(), facts.end(), [](const Fact* fact) { return fact->ranked; })) {
    if (einsum.result.ellipsis) return out_type(c, 0, dtype);
    return c.out(0, Fact::of(dtype, Shape(einsum.result.labels.size(), unknown)));
  }
  const EinsumExtents extents = einsum_extents(einsum, facts);
  Shape out;
  for (char label : einsum.result.labels) out.push_back(extents.letters[static_cast<std::size_t>(label)]);
  if (einsum.result.ellipsis)
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(einsum.result.ellipsis_at), extents.ellipsis.begin(),
               extents.ellipsis.end());
  c.out(0, Fact::of(dtype, std::move(out)));
}

// One multiplication for each combination of indices; a sum of one operand multiplies nothing.
double macs_einsum(const Node& node, const FactList& in, const FactList&) {
  if (in.size() < 2 || !std::all_of(in.begin(), in.end(), [](const Fact* fact) { return fact->complete(); })) return 0;
  const Einsum einsum = parse_einsum(node.string_or("equation", ""));
  if (einsum.operands.size() != in.size()) return 0;
  const EinsumExtents extents = einsum_extents(einsum, in);
  double out = 1;
  for (char label : extents.used) out *= static_cast<double>(extents.letters[static_cast<std::size_t>(label)]);
  for (std::int64_t extent : extents.ellipsis) out *= static_cast<double>(extent);
  return out;
}

}  // namespace

void add_einsum_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Einsum", infer_einsum, macs_einsum});
}

}  // namespace coppice::graph::ops
