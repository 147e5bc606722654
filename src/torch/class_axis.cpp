#include "torch/class_axis.hpp"

#include "coppice/base/error.hpp"

#include "torch/messages.hpp"

namespace coppice {

at::Tensor classes_second(const at::Tensor& logits, const at::Tensor& target) {
  if (logits.dim() < 3 || !target.defined() || target.is_floating_point()) return logits;
  const auto fits = [&](std::int64_t axis) {
    std::vector<std::int64_t> positions = logits.sizes().vec();
    positions.erase(positions.begin() + axis);
    return target.sizes() == at::IntArrayRef(positions);
  };
  if (!fits(logits.dim() - 1)) return logits;
  if (fits(1))
    throw Error("expected logits that tell whether their second or their last axis is that of the classes, found " +
                shape_text(logits.sizes()) + ", of which both fit the target " + shape_text(target.sizes()) +
                "; rows of another length tell");
  return logits.movedim(-1, 1);
}

}  // namespace coppice
