#include "torch/sparse/layer_view.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "torch/executor/kernel.hpp"
#include "torch/kernels/window.hpp"
#include "torch/messages.hpp"

namespace coppice::sparse {
namespace {

using executor::Window;

const graph::Node& node_of(const graph::Model& model, const sparsity::Site& site) {
  return model.graph.nodes[site.node];
}

// Whether a convolution's weight is stored as [O,I,...], as it is used.
bool usual_order(const sparsity::Site& site) {
  return site.output_axis == 0 && site.input_axis == 1 &&
         std::is_sorted(site.kernel_axes.begin(), site.kernel_axes.end());
}

std::size_t other_operand(const sparsity::Site& site) {
  return site.operand == 0 ? 1 : 0;
}

// What of a picture each kernel place sees: [samples x places of the output, kernel places x channels].
at::Tensor patches(const at::Tensor& x, const Window& window) {
  const auto axes = static_cast<std::int64_t>(window.kernel.size());
  std::vector<std::int64_t> extents;
  for (std::size_t i = 0; i < window.kernel.size(); ++i)
    extents.push_back((x.size(static_cast<std::int64_t>(i) + 2) - window.reach(i)) / window.strides[i] + 1);
  std::vector<at::Tensor> places;
  std::vector<std::int64_t> place(window.kernel.size(), 0);
  for (bool more = true; more;) {
    at::Tensor seen = x;
    for (std::size_t i = 0; i < place.size(); ++i) {
      const std::int64_t begin = place[i] * window.dilations[i];
      seen = seen.slice(static_cast<std::int64_t>(i) + 2, begin, begin + (extents[i] - 1) * window.strides[i] + 1,
                        window.strides[i]);
    }
    places.push_back(seen);
    more = false;
    for (std::size_t i = place.size(); i-- > 0 && !more;) {
      more = ++place[i] < window.kernel[i];
      if (!more) place[i] = 0;
    }
  }
  // [samples, kernel places, channels, output places...]
  at::Tensor all = at::stack(places, 1);
  std::vector<std::int64_t> order{0};
  for (std::int64_t i = 0; i < axes; ++i) order.push_back(i + 3);
  order.insert(order.end(), {1, 2});
  all = all.permute(order);
  return all.reshape({-1, all.size(axes + 1) * all.size(axes + 2)});
}

}  // namespace

std::optional<std::string> LayerView::obstacle(const graph::Model& model, const sparsity::Site& site) {
  const graph::Node& node = node_of(model, site);
  if (!site.other_reader.empty()) return "also read by " + site.other_reader;
  if (node.op == "ConvTranspose" || node.op == "DeformConv") return node.op + ": its inputs cannot be told";
  if (site.convolution())
    return usual_order(site) ? std::nullopt : std::optional<std::string>("its weight is turned before it is used");
  if (site.shape.size() != 2) return "weights of a batch of products";
  if (model.graph.constant(node.input(other_operand(site)))) return "a product of constants";
  return std::nullopt;
}

LayerView::LayerView(const graph::Model& model, const sparsity::Site& site)
    : convolution_(site.convolution()),
      output_axis_(site.output_axis),
      input_axis_(site.input_axis),
      shape_(site.shape.begin(), site.shape.end()) {
  const graph::Node& node = node_of(model, site);
  input_ = std::string(model.graph.name_of(node.input(convolution_ ? 0 : other_operand(site))));
  columns_ = shape_[input_axis_];
  if (!convolution_) {
    // [..., inputs] stands before a weight, and [inputs, ...] behind it; Gemm may turn either.
    const bool before = site.operand == 1;
    turned_ = !before;
    if (node.op == "Gemm" || node.op == "FusedGemm")
      turned_ = before ? node.int_or("transA", 0) != 0 : node.int_or("transB", 0) == 0;
    return;
  }
  groups_ = node.int_or("group", 1);
  for (std::size_t axis = 2; axis < shape_.size(); ++axis) columns_ *= shape_[axis];
  const executor::Build build(model, model.graph, node, {});
  unfold_ = [shape = executor::read_window(build), groups = groups_,
             kernel = std::vector<std::int64_t>(shape_.begin() + 2, shape_.end()),
             columns = columns_](const at::Tensor& x, const Rows& callback) {
    const Window window = executor::fit(shape, executor::image_of(x), kernel);
    const at::Tensor padded = executor::surround(x, window.begins, window.ends, 0);
    constexpr std::int64_t at_once = 1 << 23;  // numbers
    const std::int64_t each = std::max<std::int64_t>(1, padded[0][0].numel() * columns * groups);
    const std::int64_t samples = std::max<std::int64_t>(1, at_once / each), channels = x.size(1) / groups;
    for (std::int64_t first = 0; first < x.size(0); first += samples)
      for (std::int64_t group = 0; group < groups; ++group)
        callback(
            group,
            patches(padded.narrow(0, first, std::min(samples, x.size(0) - first)).narrow(1, group * channels, channels),
                    window));
  };
}

// Convolutions that read one value mostly differ in kernel or stride, and are taken to.
bool LayerView::same_rows(const LayerView& other) const {
  return !convolution_ && !other.convolution_ && input_ == other.input_ && turned_ == other.turned_;
}

at::Tensor LayerView::matrices(const at::Tensor& weight) const {
  if (!convolution_)
    return weight.permute({static_cast<std::int64_t>(output_axis_), static_cast<std::int64_t>(input_axis_)})
        .unsqueeze(0);
  return weight.flatten(2).transpose(1, 2).reshape({groups_, shape_[0] / groups_, columns_});
}

at::Tensor LayerView::weight(const at::Tensor& matrices) const {
  if (!convolution_) {
    const at::Tensor matrix = matrices.squeeze(0);
    return output_axis_ == 0 ? matrix : matrix.t();
  }
  return matrices.reshape({shape_[0], columns_ / shape_[1], shape_[1]}).transpose(1, 2).reshape(shape_);
}

void LayerView::for_each_rows(const at::Tensor& input, const Rows& callback) const {
  if (convolution_) return unfold_(input, callback);
  at::Tensor rows = input;
  if (rows.dim() == 1) rows = rows.unsqueeze(turned_ ? 1 : 0);
  if (turned_) rows = rows.transpose(-1, -2);
  callback(0, rows.reshape({-1, rows.size(-1)}));
}

}  // namespace coppice::sparse
