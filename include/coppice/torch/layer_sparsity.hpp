#pragma once
#include <cstdint>
#include <vector>

#include "coppice/torch/aten.hpp"

/// Which weights of one matrix W [outputs, inputs] go, told from the inputs that it sees, and how the others make up
/// for them. All in float64, on the device of the weight; nothing here depends on the order of samples but by rounding.
namespace coppice {

/// How many weights go.
struct SparsityGoal {
  double share = 0.5;             ///< Of the weights, in [0, 1).
  std::int64_t keep = 0, of = 0;  ///< With of > 0 in its place: of every `of` inputs side by side `keep` stay.
};

/// What is known of the inputs of a layer: sum over samples of x x^T, and their number.
class InputMoments {
 public:
  /// `products` false: only the diagonal is kept, which is all that Wanda wants.
  InputMoments(std::int64_t inputs, bool products);
  /// Copies would add to the same sums.
  InputMoments(const InputMoments&) = delete;
  InputMoments& operator=(const InputMoments&) = delete;
  InputMoments(InputMoments&&) = default;
  InputMoments& operator=(InputMoments&&) = default;
  /// Samples [n, inputs] of any real type. Throws Error when their width differs or one is not finite.
  void add(const at::Tensor& samples);

  std::int64_t samples() const { return samples_; }
  /// sqrt of the mean of x_j^2: [inputs], float64. Throws Error without samples.
  at::Tensor norms() const;
  /// 2 / n sum x x^T: [inputs, inputs], float64. Throws Error without samples, and where only the diagonal is kept.
  at::Tensor hessian() const;

 private:
  bool products_;
  std::int64_t samples_ = 0;
  at::Tensor sum_;
};

/// |W_ij| norm_j: [outputs, inputs], float64.
at::Tensor wanda_scores(const at::Tensor& weight, const at::Tensor& norms);
/// Which weights stay (bool, as the weight): of every output floor(share * inputs) of the lowest scores go, or the
/// lowest of every run; of equal ones the first. Throws Error for a goal out of range, and when runs do not divide the
/// inputs. Source: Sun et al., A Simple and Effective Pruning Approach for Large Language Models, 2023.
at::Tensor keep_by_output(const at::Tensor& scores, const SparsityGoal& goal);

struct SparseGptOptions {
  std::int64_t block = 128;  ///< Columns that are chosen from together, and updated at once; with runs whole ones.
  double damping = 0.01;     ///< Share of the mean of the Hessian's diagonal that is added to it.
};

struct SparseGptResult {
  at::Tensor weight;  ///< float64, zero where nothing stays.
  at::Tensor keep;    ///< bool.
  double damping;     ///< What it took: ten times more for each time that the Hessian could not be factorised.
};

/// Goes through the columns from left to right: what goes is chosen by W^2 / U_jj^2, where U is the upper Cholesky
/// factor of the inverse Hessian, in a block floor(share * its weights) over all outputs, or the lowest of every run of
/// an output as its columns are then; columns to the right make up for the error. Inputs that are always zero lose
/// their weights. Throws Error as keep_by_output(), for shapes that differ, and when the Hessian has no factor even
/// with as much damping as its mean. Source: Frantar and Alistarh, SparseGPT, 2023.
SparseGptResult sparse_gpt(const at::Tensor& weight, const at::Tensor& hessian, const SparsityGoal& goal,
                           const SparseGptOptions& options = {});

/// Share of the scores above `multiple` times their mean: the outliers that OWL counts.
double outlier_share(const at::Tensor& scores, double multiple = 5);
/// A share for each layer: layers with more outliers lose less. From the outlier shares d_l, moved and scaled to
/// [0, 2 spread], share_l = share - d_l + the mean of d, where layers count by their weights, so that all together
/// have `share`. Throws Error for a share of a layer out of [0, 1), and unless there is a number of weights for each.
/// Source: Yin et al., Outlier Weighed Layerwise Sparsity, 2023, whose layers are all of one size.
std::vector<double> owl_shares(std::vector<double> outlier_shares, const std::vector<std::int64_t>& weights,
                               double share, double spread = 0.08);

/// 2 / n |W X|^2 over the n samples of the Hessian.
double output_energy(const at::Tensor& matrix, const at::Tensor& hessian);
/// |(W' - W) X|^2 / |W X|^2 over the samples of the Hessian; 0 where W X is zero.
double reconstruction_error(const at::Tensor& weight, const at::Tensor& changed, const at::Tensor& hessian);

}  // namespace coppice
