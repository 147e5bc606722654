#include <algorithm>
#include <array>
#include <cmath>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

Tensor on_host(const Tensor& x) {
  return x.detach().to(at::kCPU, at::kDouble).contiguous();
}

struct RoiAlign {
  std::int64_t height = 1, width = 1, ratio = 0;
  double scale = 1;
  bool half = true, largest = false;
};

// Points along one axis: the two elements around each, and the weight of the second one.
struct Points {
  Tensor low, high, share, inside;
  std::int64_t each = 1;  ///< Points a bin.
};

Points points_of(double start, double extent, std::int64_t bins, std::int64_t ratio, std::int64_t length,
                 const Tensor& like) {
  Points out;
  const double bin = extent / static_cast<double>(bins);
  out.each = ratio > 0 ? ratio : std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(bin)));
  std::vector<std::int64_t> low, high;
  std::vector<double> share, inside;
  for (std::int64_t i = 0; i < bins * out.each; ++i) {
    const double step = (static_cast<double>(i % out.each) + 0.5) / static_cast<double>(out.each);
    const double y = start + (static_cast<double>(i / out.each) + step) * bin;
    inside.push_back(y < -1 || y > static_cast<double>(length) ? 0 : 1);
    const double clamped = std::clamp(y, 0.0, static_cast<double>(length - 1));
    low.push_back(static_cast<std::int64_t>(clamped));
    high.push_back(std::min(low.back() + 1, length - 1));
    share.push_back(clamped - static_cast<double>(low.back()));
  }
  const auto place = [&](const std::vector<double>& list) {
    return at::tensor(list, at::kDouble).to(like.device(), like.scalar_type());
  };
  out.low = at::tensor(low, at::kLong).to(like.device());
  out.high = at::tensor(high, at::kLong).to(like.device());
  out.share = place(share);
  out.inside = place(inside);
  return out;
}

// One region of an image (channels, height, width).
Tensor align(const Tensor& image, const double* box, const RoiAlign& roi) {
  const double offset = roi.half ? 0.5 : 0, least = roi.half ? 0 : 1;
  const double left = box[0] * roi.scale - offset, top = box[1] * roi.scale - offset;
  const double width = std::max(box[2] * roi.scale - offset - left, least);
  const double height = std::max(box[3] * roi.scale - offset - top, least);
  const Points y = points_of(top, height, roi.height, roi.ratio, image.size(1), image);
  const Points x = points_of(left, width, roi.width, roi.ratio, image.size(2), image);
  const Tensor upper = at::index_select(image, 1, y.low), lower = at::index_select(image, 1, y.high);
  const Tensor down = (y.share * y.inside).unsqueeze(1), up = ((1 - y.share) * y.inside).unsqueeze(1);
  const Tensor right_share = x.share * x.inside, left_share = (1 - x.share) * x.inside;
  const std::array<Tensor, 4> corners{
      at::index_select(upper, 2, x.low) * up * left_share, at::index_select(upper, 2, x.high) * up * right_share,
      at::index_select(lower, 2, x.low) * down * left_share, at::index_select(lower, 2, x.high) * down * right_share};
  const std::vector<std::int64_t> bins{image.size(0), roi.height, y.each, roi.width, x.each};
  // The largest of the weighted corners, not of their sums: so do ONNX Runtime and ONNX's reference.
  if (roi.largest)
    return at::amax(at::maximum(at::maximum(corners[0], corners[1]), at::maximum(corners[2], corners[3])).reshape(bins),
                    {2, 4});
  return at::mean((corners[0] + corners[1] + corners[2] + corners[3]).reshape(bins), {2, 4});
}

Kernel roi_align(const Build& build) {
  RoiAlign roi;
  roi.height = build.integer("output_height", 1);
  roi.width = build.integer("output_width", 1);
  roi.ratio = build.integer("sampling_ratio", 0);
  roi.scale = build.real("spatial_scale", 1);
  const std::string mode = build.opset() >= 16 ? "half_pixel" : "output_half_pixel";
  roi.half = build.text("coordinate_transformation_mode", mode) == "half_pixel";
  roi.largest = build.text("mode", "avg") == "max";
  return [roi](Call& call) {
    const Tensor& x = call.in(0);
    const Tensor boxes = on_host(call.in(1));
    const std::vector<std::int64_t> images = call.ints(2);
    if (boxes.dim() != 2 || boxes.size(1) != 4 || boxes.size(0) != static_cast<std::int64_t>(images.size()))
      throw Error("expected a box of four numbers and an image for each region");
    std::vector<Tensor> out;
    for (std::size_t i = 0; i < images.size(); ++i)
      out.push_back(align(x.select(0, images[i]), boxes.data_ptr<double>() + 4 * i, roi));
    call.out(0, out.empty() ? at::zeros({0, x.size(1), roi.height, roi.width}, x.options()) : at::stack(out));
  };
}

// Bin k of `bins` along an axis: its elements [first, last), cut off at the image's border.
std::array<std::int64_t, 2> bin_of(std::int64_t start, std::int64_t end, std::int64_t bins, std::int64_t k,
                                   std::int64_t length) {
  const double bin = static_cast<double>(std::max<std::int64_t>(end - start + 1, 1)) / static_cast<double>(bins);
  const auto first = static_cast<std::int64_t>(std::floor(static_cast<double>(k) * bin)) + start;
  const auto last = static_cast<std::int64_t>(std::ceil(static_cast<double>(k + 1) * bin)) + start;
  return {std::clamp<std::int64_t>(first, 0, length), std::clamp<std::int64_t>(last, 0, length)};
}

// Regions (image, left, top, right, bottom) of whole elements.
Kernel max_roi_pool(const Build& build) {
  const std::vector<std::int64_t> pooled = build.integers("pooled_shape");
  if (pooled.size() != 2) throw Error("pooled_shape: expected two numbers");
  return [pooled, scale = build.real("spatial_scale", 1)](Call& call) {
    const Tensor &x = call.in(0), boxes = on_host(call.in(1));
    if (boxes.dim() != 2 || boxes.size(1) != 5) throw Error("expected five numbers a region");
    std::vector<Tensor> out;
    for (std::int64_t i = 0; i < boxes.size(0); ++i) {
      const double* box = boxes.data_ptr<double>() + 5 * i;
      std::array<std::int64_t, 4> edges{};
      for (std::size_t k = 0; k < 4; ++k) edges[k] = static_cast<std::int64_t>(std::round(box[k + 1] * scale));
      const Tensor image = x.select(0, static_cast<std::int64_t>(box[0]));
      for (std::int64_t row = 0; row < pooled[0]; ++row) {
        const auto [top, bottom] = bin_of(edges[1], edges[3], pooled[0], row, x.size(2));
        for (std::int64_t column = 0; column < pooled[1]; ++column) {
          const auto [left, right] = bin_of(edges[0], edges[2], pooled[1], column, x.size(3));
          if (top >= bottom || left >= right)
            out.push_back(at::zeros({x.size(1)}, x.options()));
          else
            out.push_back(at::amax(image.slice(1, top, bottom).slice(2, left, right), {1, 2}));
        }
      }
    }
    const std::vector<std::int64_t> bins{boxes.size(0), pooled[0], pooled[1], x.size(1)};
    call.out(0, (out.empty() ? at::zeros(bins, x.options()) : at::stack(out).reshape(bins)).movedim(3, 1));
  };
}

}  // namespace

void add_region_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "MaxRoiPool", max_roi_pool});
  entries.push_back({"", "RoiAlign", roi_align});
}

}  // namespace coppice::executor
