#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

template <class Pairs>
std::int64_t number_of(const std::string& name, const Pairs& pairs, const char* attribute) {
  for (const auto& [known, number] : pairs)
    if (known == name) return number;
  throw Error(std::string(attribute) + ": found " + name);
}

using Names = std::vector<std::pair<std::string_view, std::int64_t>>;

// Names of older and newer operator sets; the numbers are libtorch's.
Kernel grid_sample(const Build& build) {
  static const Names modes{{"bilinear", 0}, {"linear", 0}, {"nearest", 1}, {"bicubic", 2}, {"cubic", 2}};
  static const Names paddings{{"zeros", 0}, {"border", 1}, {"reflection", 2}};
  const std::int64_t mode = number_of(build.text("mode", "linear"), modes, "mode");
  const std::int64_t padding = number_of(build.text("padding_mode", "zeros"), paddings, "padding_mode");
  return [mode, padding, align = build.flag("align_corners")](Call& call) {
    call.out(0, at::grid_sampler(call.in(0), call.in(1), mode, padding, align));
  };
}

Kernel affine_grid(const Build& build) {
  return [align = build.flag("align_corners")](Call& call) {
    call.out(0, at::affine_grid_generator(call.in(0), call.ints(1), align));
  };
}

}  // namespace

void add_grid_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "AffineGrid", affine_grid});
  entries.push_back({"", "GridSample", grid_sample});
}

}  // namespace coppice::executor
