#include "coppice/torch/layer_sparsity.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "support/message.hpp"

namespace coppice {
namespace {

using test::message;
using Matrix = std::vector<std::vector<double>>;

at::Tensor tensor(const Matrix& rows) {
  std::vector<at::Tensor> out;
  for (const auto& row : rows) out.push_back(at::tensor(row, at::kDouble));
  return at::stack(out);
}

Matrix matrix(const at::Tensor& values) {
  Matrix out(static_cast<std::size_t>(values.size(0)));
  for (std::int64_t i = 0; i < values.size(0); ++i)
    for (std::int64_t j = 0; j < values.size(1); ++j)
      out[static_cast<std::size_t>(i)].push_back(values[i][j].item<double>());
  return out;
}

// Four outputs, eight inputs.
const Matrix example{
    {1, -2, 3, -4, 5, -6, 7, -8}, {8, 7, 6, 5, 4, 3, 2, 1}, {1, 1, 1, 1, 1, 1, 1, 1}, {-3, 3, -3, 3, 1, -1, 1, -1}};
const std::vector<double> norms{8, 4, 2, 1, 1, 2, 4, 8};

TEST(Wanda, KeepsTheLargestOfEveryOutput) {
  const at::Tensor scores = wanda_scores(tensor(example), at::tensor(norms, at::kDouble));
  EXPECT_TRUE(scores.equal(tensor({{8, 8, 6, 4, 5, 12, 28, 64},
                                   {64, 28, 12, 5, 4, 6, 8, 8},
                                   {8, 4, 2, 1, 1, 2, 4, 8},
                                   {24, 12, 6, 3, 1, 2, 4, 8}})));
  // Half: the four lowest of each row; of the equal 8s and 2s the first go.
  EXPECT_TRUE(keep_by_output(scores, {.share = 0.5})
                  .equal(tensor({{0, 1, 0, 0, 0, 1, 1, 1},
                                 {1, 1, 1, 0, 0, 0, 0, 1},
                                 {1, 1, 0, 0, 0, 0, 1, 1},
                                 {1, 1, 1, 0, 0, 0, 0, 1}})
                             .to(at::kBool)));
  // 30 % of 8 is 2.4: two.
  EXPECT_EQ(keep_by_output(scores, {.share = 0.3}).sum().item<std::int64_t>(), 4 * 6);
  EXPECT_TRUE(keep_by_output(scores, {.keep = 2, .of = 4})
                  .equal(tensor({{1, 1, 0, 0, 0, 0, 1, 1},
                                 {1, 1, 0, 0, 0, 0, 1, 1},
                                 {1, 1, 0, 0, 0, 0, 1, 1},
                                 {1, 1, 0, 0, 0, 0, 1, 1}})
                             .to(at::kBool)));
}

TEST(InputMoments, AddUp) {
  InputMoments moments(2, true), squares(2, false);
  for (InputMoments* all : {&moments, &squares}) {
    all->add(at::tensor({1.0, 2.0, 3.0, 4.0}).reshape({2, 2}));
    all->add(at::tensor({2.0, 4.0}).reshape({1, 2}));
    EXPECT_EQ(all->samples(), 3);
    EXPECT_TRUE(at::allclose(all->norms(), at::tensor({std::sqrt(14.0 / 3), std::sqrt(12.0)}, at::kDouble), 1e-15));
  }
  EXPECT_TRUE(at::allclose(moments.hessian(), tensor({{28.0 / 3, 44.0 / 3}, {44.0 / 3, 24}}), 1e-15));
  EXPECT_EQ(message([&] { squares.hessian(); }), "inputs: expected the products of all pairs, found squares alone");
  EXPECT_EQ(message([&] { moments.add(at::ones({2, 3})); }), "inputs: expected samples of 2 numbers, found 2x3");
  EXPECT_EQ(message([&] { moments.add(at::full({1, 2}, NAN)); }), "inputs: expected finite numbers, found others");
  EXPECT_EQ(message([&] { InputMoments(2, true).norms(); }), "inputs: expected samples, found none");
}

// Where inputs are uncorrelated nothing can make up for a weight: what goes is told by w^2 h alone.
TEST(SparseGpt, IsScaledMagnitudeWithoutCorrelation) {
  const at::Tensor hessian = at::diag(at::tensor(norms, at::kDouble).square());
  const auto found = sparse_gpt(tensor(example), hessian, {.share = 0.5}, {.damping = 0});
  // The 16 lowest of |w| norm in all rows: 1 1 1 2 2 2 3 4 4 4 4 4 5 5 and of the five 6s, in order, two.
  const at::Tensor expected =
      tensor({{1, 1, 0, 0, 0, 1, 1, 1}, {1, 1, 1, 0, 0, 0, 1, 1}, {1, 0, 0, 0, 0, 0, 0, 1}, {1, 1, 1, 0, 0, 0, 0, 1}});
  EXPECT_TRUE(found.keep.equal(expected.to(at::kBool)));
  EXPECT_TRUE(found.weight.equal(tensor(example) * expected));
  const auto half = sparse_gpt(tensor(example), hessian, {.keep = 2, .of = 4}, {.damping = 0});
  EXPECT_TRUE(half.keep.equal(keep_by_output(wanda_scores(tensor(example), at::tensor(norms)), {.keep = 2, .of = 4})));
}

// Two inputs with correlation r: the second takes over r times the first's weight.
TEST(SparseGpt, LetsOthersMakeUp) {
  const at::Tensor hessian = tensor({{1, 0.5}, {0.5, 1}});
  const auto found = sparse_gpt(tensor({{1, 4}}), hessian, {.share = 0.5}, {.damping = 0});
  EXPECT_TRUE(at::allclose(found.weight, tensor({{0, 4.5}}), 1e-12));
  // e = w / U_jj, and the loss is e^2: w^2 over the first element of the inverse, 4/3.
  EXPECT_NEAR(reconstruction_error(tensor({{1, 4}}), found.weight, hessian), 0.75 / (1 + 4 + 16), 1e-12);
}

// The same by inverting what is left of the Hessian before every column.
Matrix inverse(Matrix a) {
  const std::size_t n = a.size();
  Matrix out(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) out[i][i] = 1;
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a[i][i];
    for (std::size_t k = 0; k < n; ++k) a[i][k] /= pivot, out[i][k] /= pivot;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      const double factor = a[j][i];
      for (std::size_t k = 0; k < n; ++k) a[j][k] -= factor * a[i][k], out[j][k] -= factor * out[i][k];
    }
  }
  return out;
}

struct Reference {
  Matrix w, hessian;

  Matrix inverse_from(std::size_t j) const {
    Matrix rest;
    for (std::size_t i = j; i < hessian.size(); ++i)
      rest.emplace_back(hessian[i].begin() + static_cast<std::ptrdiff_t>(j), hessian[i].end());
    return inverse(rest);
  }

  // The places [row, column] of columns begin to end that go: the `drop` lowest of `rows`.
  void choose(Matrix& keep, std::size_t first, std::size_t last, std::size_t begin, std::size_t end,
              std::size_t drop) const {
    struct Place {
      double loss;
      std::size_t row, column;
    };
    std::vector<Place> places;
    for (std::size_t i = first; i < last; ++i)
      for (std::size_t j = begin; j < end; ++j) places.push_back({w[i][j] * w[i][j] / inverse_from(j)[0][0], i, j});
    std::stable_sort(places.begin(), places.end(), [](const Place& a, const Place& b) { return a.loss < b.loss; });
    for (std::size_t k = 0; k < drop; ++k) keep[places[k].row][places[k].column] = 0;
  }

  void run(const SparsityGoal& goal, std::size_t block) {
    const std::size_t rows = w.size(), inputs = hessian.size();
    Matrix keep(rows, std::vector<double>(inputs, 1));
    for (std::size_t j = 0; j < inputs; ++j) {
      if (goal.of == 0 && j % block == 0) {
        const std::size_t end = std::min(j + block, inputs);
        choose(keep, 0, rows, j, end,
               static_cast<std::size_t>(goal.share * static_cast<double>(rows * (end - j)) + 1e-9));
      }
      if (goal.of > 0 && j % static_cast<std::size_t>(goal.of) == 0)
        for (std::size_t i = 0; i < rows; ++i)
          choose(keep, i, i + 1, j, j + static_cast<std::size_t>(goal.of),
                 static_cast<std::size_t>(goal.of - goal.keep));
      const Matrix inv = inverse_from(j);
      for (std::size_t i = 0; i < rows; ++i) {
        if (keep[i][j] != 0) continue;
        const double error = w[i][j] / inv[0][0];
        for (std::size_t k = j; k < inputs; ++k) w[i][k] -= error * inv[0][k - j];
        w[i][j] = 0;
      }
    }
  }
};

TEST(SparseGpt, IsTheStraightforwardComputation) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor weight = at::randn({6, 24}, generator, at::kDouble);
  const at::Tensor mixed = at::randn({24, 24}, generator, at::kDouble) * 0.4 + at::eye(24, at::kDouble);
  InputMoments moments(24, true);
  for (int i = 0; i < 3; ++i) moments.add(at::randn({40, 24}, generator, at::kDouble).matmul(mixed));
  const at::Tensor hessian = moments.hessian();
  at::Tensor damped = hessian.clone();
  damped.diagonal().add_(hessian.diagonal().mean() * 0.01);
  for (const SparsityGoal& goal :
       {SparsityGoal{.share = 0.5}, SparsityGoal{.share = 0.3}, SparsityGoal{.keep = 2, .of = 4},
        SparsityGoal{.keep = 1, .of = 8}, SparsityGoal{.keep = 1, .of = 3}})
    for (const std::int64_t block : {8, 24, 128}) {
      const auto found = sparse_gpt(weight, hessian, goal, {.block = block});
      EXPECT_EQ(found.damping, 0.01);
      Reference reference{matrix(weight), matrix(damped)};
      reference.run(goal, static_cast<std::size_t>(block));
      const at::Tensor expected = tensor(reference.w);
      EXPECT_TRUE(found.keep.equal(expected.ne(0)));
      EXPECT_LT((found.weight - expected).abs().max().item<double>(), 1e-10);
      // What makes up for the loss loses less than what only drops.
      EXPECT_LT(reconstruction_error(weight, found.weight, hessian),
                reconstruction_error(weight, weight * found.keep, hessian));
    }
}

TEST(SparseGpt, LeavesOutDeadInputsAndRaisesDamping) {
  at::Tensor hessian = at::ones({4, 4}, at::kDouble);
  hessian[2].zero_();
  hessian.select(1, 2).zero_();
  const auto found = sparse_gpt(tensor({{1, 2, 30, 4}}), hessian, {.share = 0.25}, {.damping = 0});
  // Inputs that are all the same have no inverse; a millionth of the diagonal's mean is enough.
  EXPECT_EQ(found.damping, 1e-6);
  EXPECT_EQ(found.weight[0][2].item<double>(), 0);
  EXPECT_TRUE(found.keep.equal(tensor({{1, 1, 0, 1}}).to(at::kBool)));
  EXPECT_EQ(message([&] {
              sparse_gpt(at::ones({1, 2}), -tensor({{1, 0}, {0, 1}}), {.share = 0.5});
            }),
            "sparse_gpt: expected a Hessian that is positive definite with damping, found one that is not");
}

TEST(Owl, SparesLayersWithOutliers) {
  at::Tensor scores = at::ones({2, 10}, at::kDouble);  // the mean of 1 nineteen times and 41 is 3
  scores[0][0] = 41;
  EXPECT_DOUBLE_EQ(outlier_share(scores), 1 / 20.0);
  EXPECT_DOUBLE_EQ(outlier_share(scores, 20), 0);
  // They become 0, 0.04 and 0.16, with a mean of (0 + 2 * 0.04 + 0.16) / 4 = 0.06 over the weights.
  const std::vector<double> found = owl_shares({0, 0.01, 0.04}, {100, 200, 100}, 0.5);
  EXPECT_NEAR(found[0], 0.56, 1e-12);
  EXPECT_NEAR(found[1], 0.52, 1e-12);
  EXPECT_NEAR(found[2], 0.40, 1e-12);
  EXPECT_NEAR(found[0] * 100 + found[1] * 200 + found[2] * 100, 0.5 * 400, 1e-9);
  EXPECT_EQ(owl_shares({0.3, 0.3}, {1, 5}, 0.7), (std::vector<double>{0.7, 0.7}));
  EXPECT_NE(message([] { owl_shares({0, 1}, {1, 1}, 0.95); }), "no error");
  EXPECT_EQ(message([] {
              owl_shares({0, 1}, {1}, 0.5);
            }),
            "owl: expected a number of weights for each layer, found 1 for 2");
}

TEST(LayerSparsity, SaysWhatIsWrong) {
  const at::Tensor scores = at::ones({2, 6});
  EXPECT_EQ(message([&] { keep_by_output(scores, {.share = 1}); }),
            "sparsity: expected a share from 0 to below 1, found 1.000000");
  EXPECT_EQ(message([&] { keep_by_output(scores, {.keep = 4, .of = 4}); }),
            "pattern: expected N:M with 0 < N < M, found 4:4");
  EXPECT_EQ(message([&] { keep_by_output(scores, {.keep = 2, .of = 4}); }),
            "pattern 2:4: expected a number of inputs that 4 divides, found 6");
  EXPECT_EQ(message([&] { wanda_scores(scores, at::ones({5})); }),
            "wanda: expected a norm for each input of a matrix, found 5 for 2x6");
  EXPECT_EQ(message([&] {
              sparse_gpt(scores, at::ones({5, 5}), {});
            }),
            "sparse_gpt: expected the Hessian of the inputs of a matrix, found 5x5 for 2x6");
  EXPECT_EQ(message([&] { sparse_gpt(scores, at::eye(6), {.keep = 1, .of = 3}, {.block = 0}); }),
            "sparse_gpt: expected blocks of 1 column or more, found 0");
  EXPECT_EQ(message([&] { sparse_gpt(scores, at::eye(6), {}, {.damping = 2}); }),
            "sparse_gpt: expected damping from 0 to 1, found 2.000000");
}

}  // namespace
}  // namespace coppice
