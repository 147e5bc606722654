#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "coppice/graph/model.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice::sparse {

/// A site's weight as a matrix for each group of a convolution, and what the layer is given as rows of its inputs.
/// Columns of a convolution: kernel places, then channels, so that channels of one place lie side by side.
class LayerView {
 public:
  /// Why a site has no such view; none where it has.
  static std::optional<std::string> obstacle(const graph::Model& model, const sparsity::Site& site);

  /// Only where there is no obstacle.
  LayerView(const graph::Model& model, const sparsity::Site& site);

  /// The value that the layer is given.
  const std::string& input() const { return input_; }
  /// Whether for_each_rows() gives both the same rows.
  bool same_rows(const LayerView& other) const;
  std::int64_t groups() const { return groups_; }
  std::int64_t columns() const { return columns_; }

  at::Tensor matrices(const at::Tensor& weight) const;  ///< [groups, outputs, columns] of the constant.
  at::Tensor weight(const at::Tensor& matrices) const;  ///< Back.
  /// Calls back with rows [n, columns] for each group, a part of the samples at a time.
  void for_each_rows(const at::Tensor& input,
                     const std::function<void(std::int64_t group, const at::Tensor& rows)>& callback) const;

 private:
  using Rows = std::function<void(std::int64_t group, const at::Tensor& rows)>;

  bool convolution_;
  bool turned_ = false;  ///< Of a product: what it is given has its channels along the last axis but one.
  std::size_t output_axis_, input_axis_;
  std::vector<std::int64_t> shape_;
  std::string input_;
  std::int64_t groups_ = 1, columns_ = 0;
  std::function<void(const at::Tensor& input, const Rows& callback)> unfold_;  ///< Of a convolution.
};

}  // namespace coppice::sparse
