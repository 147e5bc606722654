#include "trace_cases.hpp"

namespace coppice::test {
namespace {

using In = const std::vector<at::Tensor>&;
using at::indexing::Slice;

std::vector<at::Tensor> one(std::vector<std::int64_t> shape) {
  return {random(std::move(shape))};
}

TEST(TraceFunctions, Arithmetic) {
  at::manual_seed(9);
  const std::vector<at::Tensor> two{random({2, 3, 4}), random({3, 4}).abs() + 0.5};
  const std::vector<at::Tensor> whole{at::arange(-6, 6).reshape({3, 4}), at::arange(1, 5)};
  check({
      {"scalars", function([](In in) { return (1 - in[0]) * 3 + 2 / (in[1] + 1) - 0.5; }), two},
      {"add with a factor", function([](In in) { return at::add(in[0], in[1], 0.3); }), two},
      {"subtract from", function([](In in) { return at::rsub(in[0], in[1], 2); }), two},
      {"whole and real", function([](In in) { return in[0] + in[1]; }), {random({2, 3}), indices(5, {2, 3})}},
      {"division of whole numbers", function([](In in) { return at::div(in[0], in[1]); }), whole},
      {"division rounded down", function([](In in) { return at::div(in[0], in[1], "floor"); }), whole},
      {"division rounded to zero", function([](In in) { return at::div(in[0], in[1], "trunc"); }), whole},
      {"real division rounded", function([](In in) { return at::div(in[0], in[1], "trunc"); }), two},
      {"remainder", function([](In in) { return at::remainder(in[0], in[1]); }), two},
      {"remainder of whole numbers", function([](In in) { return at::remainder(in[0], 3); }), whole},
      {"fmod", function([](In in) { return at::fmod(in[0], in[1]); }), two},
      {"powers", function([](In in) { return in[0].pow(2) + in[1].pow(-1.5) + in[1].pow(in[1]); }), two},
      {"larger and smaller", function([](In in) { return at::maximum(in[0], in[1]) - at::minimum(in[0], in[1]); }),
       two},
      {"clamp", function([](In in) { return in[0].clamp(-0.5, 0.7) + in[1].clamp_min(0.8) - in[1].clamp_max(0.6); }),
       two},
      {"products added", function([](In in) { return at::addcmul(in[0], in[1], in[1], 0.5); }), two},
      {"quotients added", function([](In in) { return at::addcdiv(in[0], in[1], in[1] + 1, 0.5); }), two},
      {"lerp", function([](In in) { return at::lerp(in[0], in[0] * 2, 0.3); }), two},
      {"in place", function([](In in) {
         at::Tensor y = in[0] * 2;
         y.add_(in[1]).mul_(0.5).sub_(1).clamp_(-1, 1);
         return y;
       }),
       two},
  });
}

TEST(TraceFunctions, OfOneNumber) {
  at::manual_seed(10);
  const std::vector<at::Tensor> x{at::rand({3, 4}) * 0.8 + 0.1};
  check({
      {"exponentials", function([](In in) { return in[0].exp() + in[0].expm1() + in[0].erf(); }), x},
      {"logarithms", function([](In in) { return in[0].log() + in[0].log1p() + in[0].log2() + in[0].log10(); }), x},
      {"roots", function([](In in) { return in[0].sqrt() + in[0].rsqrt() + in[0].reciprocal() + in[0].square(); }), x},
      {"circular", function([](In in) { return in[0].sin() + in[0].cos() + in[0].tan(); }), x},
      {"inverse circular", function([](In in) { return in[0].asin() + in[0].acos() + in[0].atan(); }), x},
      {"hyperbolic", function([](In in) { return in[0].sinh() + in[0].cosh() + in[0].tanh(); }), x},
      {"inverse hyperbolic", function([](In in) { return in[0].asinh() + (in[0] + 1).acosh() + in[0].atanh(); }), x},
      {"rounded", function([](In in) {
         const at::Tensor y = in[0] * 9 - 4;
         return std::vector<at::Tensor>{y.floor(), y.ceil(), y.round(), y.trunc(), y.frac(), y.sign(), y.neg().abs()};
       }),
       x},
      {"hard", function([](In in) { return at::hardsigmoid(in[0] * 9 - 4) + at::hardswish(in[0] * 9 - 4); }), x},
  });
}

TEST(TraceFunctions, Comparisons) {
  at::manual_seed(11);
  const std::vector<at::Tensor> two{random({3, 4}), random({3, 4})};
  check({
      {"with a number",
       function([](In in) {
         return std::vector<at::Tensor>{in[0] > 0, in[0] <= 0.5, in[0] != 0, in[0] < 1, in[0] >= 0, in[0] == 0};
       }),
       {at::arange(-6, 6).reshape({3, 4})}},
      {"of two", function([](In in) { return (in[0] > in[1]).to(at::kFloat) + in[0].eq(in[1]).to(at::kFloat); }), two},
      {"logic", function([](In in) {
         return (in[0] > 0).logical_and(in[1] > 0).logical_or((in[0] < -1) ^ (in[1] < -1)).logical_not();
       }),
       two},
      {"where", function([](In in) { return at::where(in[0] > 0, in[0], in[1] * 2); }), two},
      {"masked", function([](In in) { return in[0].masked_fill(in[1] > 0, -2.5); }), two},
      {"one in place", function([](In in) {
         at::Tensor y = in[0] + 1;
         y.masked_fill_(in[1] > 0, 7);
         return y;
       }),
       two},
      {"not a number", function([](In in) { return in[0].sqrt().isnan().logical_or((in[1] / 0).isinf()); }), two},
  });
}

TEST(TraceFunctions, Reductions) {
  at::manual_seed(12);
  const auto x = one({2, 3, 4});
  check({
      {"mean", function([](In in) {
         return std::make_tuple(in[0].mean(), in[0].mean({1}), in[0].mean({-1, 0}, true));
       }),
       x},
      {"sum", function([](In in) { return std::make_tuple(in[0].sum(), in[0].sum({1}, true), (in[0] > 0).sum()); }), x},
      {"largest", function([](In in) {
         return std::make_tuple(in[0].max(), in[0].max(1), in[0].amax({0, 2}));
       }),
       x},
      {"smallest", function([](In in) {
         return std::make_tuple(in[0].min(), in[0].min(1, true), in[0].amin({0, 2}));
       }),
       x},
      {"places",
       function([](In in) { return std::make_tuple(in[0].argmax(), in[0].argmax(1), in[0].argmin(-1, true)); }), x},
      {"product", function([](In in) { return std::make_tuple(in[0].prod(), in[0].prod(1)); }), x},
      {"variance", function([](In in) {
         return std::make_tuple(in[0].var(), in[0].var({1}, false), in[0].std({2}, true, true), in[0].std(),
                                at::var_mean(in[0], at::IntArrayRef{1}, true));
       }),
       x},
      {"norms", function([](In in) {
         return std::make_tuple(in[0].norm(), in[0].norm(1, {1}), in[0].norm(2, {1, 2}, true), in[0].norm(3, {-1}),
                                at::linalg_vector_norm(in[0], INFINITY, at::IntArrayRef{2}));
       }),
       x},
      {"any and all", function([](In in) { return std::make_tuple((in[0] > 1).any(), (in[0] > -1).all(1)); }), x},
      {"log of sums", function([](In in) { return in[0].logsumexp({1}); }), x},
      {"running sum", function([](In in) { return in[0].cumsum(1); }), x},
      {"largest few", function([](In in) { return in[0].topk(2, 2); }), x},
      {"sorted", function([](In in) { return in[0].sort(1, true); }), x},
      {"normalised", function([](In in) { return torch::nn::functional::normalize(in[0]); }), x},
  });
}

TEST(TraceFunctions, Layout) {
  at::manual_seed(13);
  const auto x = one({2, 3, 4});
  check({
      {"views", function([](In in) {
         return in[0].view({2, 12}).reshape({-1, 6}).flatten(0, 1).unflatten(0, {4, 6});
       }),
       x},
      {"flatten the front", function([](In in) { return in[0].flatten(0, 1) + in[0].flatten(0, 1); }), x},
      {"axes moved", function([](In in) {
         return in[0].permute({2, 0, 1}).transpose(0, 1).movedim(0, 2).swapaxes(-1, 0);
       }),
       x},
      {"turned", function([](In in) { return in[0].select(0, 1).t() + in[0].select(0, 0).t(); }), x},
      {"axes of one", function([](In in) { return in[0].unsqueeze(1).unsqueeze(-1).squeeze(1).squeeze(); }), x},
      {"expanded", function([](In in) {
         return in[0].unsqueeze(1).expand({2, 5, 3, 4}) + in[0].unsqueeze(1);
       }),
       x},
      {"expanded as", function([](In in) { return in[0].select(1, 0).unsqueeze(1).expand_as(in[0]); }), x},
      {"repeated", function([](In in) {
         return in[0].repeat({2, 1, 1, 3});
       }),
       x},
      {"joined", function([](In in) {
         return at::cat({in[0], in[0] * 2}, 1) + at::stack({in[0], in[0]}, 2).flatten(1, 2);
       }),
       x},
      {"joined types",
       function([](In in) {
         return at::cat({in[0], in[1]}, -1);
       }),
       {random({2, 3}), indices(9, {2, 2})}},
      {"parts", function([](In in) {
         const auto parts = in[0].chunk(2, 2), others = in[0].split(2, 1), sizes = in[0].split_with_sizes({1, 3}, 2);
         const auto bound = in[0].unbind(1);
         return std::make_tuple(parts[0] * parts[1], others, sizes, bound[0] - bound[2]);
       }),
       x},
      {"slices", function([](In in) {
         return std::make_tuple(in[0].index({Slice(), Slice(1, 3)}), in[0].index({Slice(), -1}), in[0].narrow(2, 1, 2),
                                in[0].index({"...", Slice(0, 4, 2)}), in[0].slice(1, -2));
       }),
       x},
      {"by indices",
       function([](In in) {
         return std::make_tuple(in[0].index_select(1, in[1]), in[0].index({Slice(), in[1]}),
                                in[0].gather(2, in[1].view({1, 1, 2}).expand({2, 3, 2})));
       }),
       {random({2, 3, 4}), at::tensor({2, 0}, at::TensorOptions(at::kLong))}},
      {"backwards", function([](In in) {
         return in[0].flip({1, 2}) + in[0].roll({1, -2}, {0, 2});
       }),
       x},
      {"channel shuffle", function([](In in) { return at::channel_shuffle(in[0], 2); }), one({2, 6, 3, 3})},
      {"triangles", function([](In in) { return in[0].tril() + in[0].triu(1) * 2; }), x},
      {"one hot", function([](In in) { return at::one_hot(in[0], 5); }), {indices(5, {2, 3})}},
      {"types", function([](In in) { return in[0].to(at::kDouble).to(at::kFloat).contiguous().clone().detach(); }), x},
      {"written whole", function([](In in) {
         at::Tensor y = at::empty({2, 3, 4});
         y.copy_(in[0]);
         return y + in[0];
       }),
       x},
  });
}

TEST(TraceFunctions, MadeHere) {
  at::manual_seed(14);
  const auto x = one({2, 3});
  check({
      {"filled", function([](In in) {
         return in[0] + at::ones({2, 3}) * 2 + at::zeros_like(in[0]) + at::full({3}, 0.5);
       }),
       x},
      {"ranges", function([](In in) {
         return in[0] + at::arange(3) * 2 + at::arange(1, 4) + at::arange(0, 1.5, 0.5) + at::linspace(0, 1, 3);
       }),
       x},
      {"broadcast", function([](In in) {
         return at::full({4, 2, 3}, 2.0) * in[0];
       }),
       x},
      {"captured", function([held = random({2, 3})](In in) { return in[0] * held + at::eye(3).select(0, 1); }), x},
      {"positions", function([](In in) { return in[0] + at::arange(2).unsqueeze(1).to(at::kFloat).sin(); }), x},
  });
}

TEST(TraceFunctions, Products) {
  at::manual_seed(15);
  check({
      {"einsum",
       function([](In in) {
         return at::einsum("bij, bkj -> bik", {in[0], in[1]});
       }),
       {random({2, 3, 4}), random({2, 5, 4})}},
      {"batched",
       function([](In in) { return at::bmm(in[0], in[1]) + at::baddbmm(in[2], in[0], in[1], 0.5, 2); }),
       {random({2, 3, 4}), random({2, 4, 5}), random({3, 5})}},
      {"of matrices",
       function([](In in) { return at::mm(in[0], in[1].t()) + at::addmm(in[2], in[0].t().t(), in[1].t(), 0.5, 3); }),
       {random({2, 4}), random({5, 4}), random({5})}},
      {"of vectors",
       function([](In in) { return std::make_tuple(at::dot(in[0], in[1]), at::outer(in[0], in[1])); }),
       {random({4}), random({4})}},
      {"attention by hand",
       function([](In in) {
         const at::Tensor scores = in[0].matmul(in[1].transpose(-2, -1)) / std::sqrt(4.0);
         return scores.softmax(-1).matmul(in[2]);
       }),
       {random({2, 2, 3, 4}), random({2, 2, 5, 4}), random({2, 2, 5, 4})}},
  });
}

}  // namespace
}  // namespace coppice::test
