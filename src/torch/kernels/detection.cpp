#include <algorithm>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

struct Box {
  double y1 = 0, x1 = 0, y2 = 0, x2 = 0;
  double area() const { return (y2 - y1) * (x2 - x1); }
};

Box read_box(const float* at, bool by_center) {
  if (by_center) return {at[1] - at[3] / 2.0, at[0] - at[2] / 2.0, at[1] + at[3] / 2.0, at[0] + at[2] / 2.0};
  // Any two opposite corners will do.
  return {std::min(at[0], at[2]), std::min(at[1], at[3]), std::max(at[0], at[2]), std::max(at[1], at[3])};
}

double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  const double width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (height <= 0 || width <= 0) return 0;
  const double both = height * width;
  return both / (a.area() + b.area() - both);
}

// The best boxes of one class, none of which covers a better one too much.
std::vector<std::int64_t> survivors(const std::vector<Box>& boxes, const float* scores, std::int64_t limit,
                                    double most_overlap, const std::vector<double>& least_score) {
  std::vector<std::int64_t> order, kept;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (least_score.empty() || scores[i] > least_score[0]) order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  for (const std::int64_t candidate : order) {
    if (static_cast<std::int64_t>(kept.size()) >= limit) break;
    const bool covered = std::any_of(kept.begin(), kept.end(), [&](std::int64_t better) {
      return overlap(boxes[static_cast<std::size_t>(candidate)], boxes[static_cast<std::size_t>(better)]) >
             most_overlap;
    });
    if (!covered) kept.push_back(candidate);
  }
  return kept;
}

Kernel non_max_suppression(const Build& build) {
  return [by_center = build.flag("center_point_box")](Call& call) {
    const at::IntArrayRef wanted = call.in(0).sizes(), given = call.in(1).sizes();
    if (wanted.size() != 3 || wanted[2] != 4 || given.size() != 3 || given[0] != wanted[0] || given[2] != wanted[1])
      throw Error("expected boxes N x B x 4 and scores N x C x B");
    const at::Tensor boxes = call.in(0).detach().to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor scores = call.in(1).detach().to(at::kCPU, at::kFloat).contiguous();
    const std::int64_t limit = call.has(2) ? one_integer(call, 2) : 0;
    const double most_overlap = call.has(3) ? call.number(3) : 0;
    std::vector<double> least_score;
    if (call.has(4)) least_score.push_back(call.number(4));
    const std::int64_t count = boxes.size(1), classes = scores.size(1);
    std::vector<std::int64_t> out;
    for (std::int64_t n = 0; n < boxes.size(0); ++n) {
      std::vector<Box> of_image;
      for (std::int64_t i = 0; i < count; ++i)
        of_image.push_back(read_box(boxes.data_ptr<float>() + (n * count + i) * 4, by_center));
      for (std::int64_t c = 0; c < classes; ++c) {
        const float* of_class = scores.data_ptr<float>() + (n * classes + c) * count;
        for (const std::int64_t box : survivors(of_image, of_class, limit, most_overlap, least_score))
          out.insert(out.end(), {n, c, box});
      }
    }
    call.out(0, at::tensor(out, at::kLong).reshape({-1, 3}));
  };
}

}  // namespace

void add_detection_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "NonMaxSuppression", non_max_suppression});
}

}  // namespace coppice::executor
