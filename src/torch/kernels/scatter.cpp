#include "coppice/base/error.hpp"

#include "torch/kernels/indices.hpp"
#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

std::string reduction(const Build& build) {
  const std::string name = build.text("reduction", "none");
  for (const char* known : {"none", "add", "mul", "max", "min"})
    if (name == known) return name;
  throw Error("reduction: expected none, add, mul, max or min, found " + name);
}

at::Tensor scatter(const at::Tensor& data, std::int64_t axis, const at::Tensor& index, const at::Tensor& updates,
                   const std::string& how) {
  if (how == "none") return at::scatter(data, axis, index, updates);
  if (how == "add") return at::scatter_add(data, axis, index, updates);
  const Silence silence;  // libtorch says that the interface of scatter_reduce may change
  return at::scatter_reduce(data, axis, index, updates, how == "mul" ? "prod" : how == "max" ? "amax" : "amin");
}

Kernel scatter_elements(const Build& build) {
  return [axis = build.integer("axis", 0), how = reduction(build)](Call& call) {
    at::Tensor data = call.in(0), updates = call.in(2);
    to_one_device({&data, &updates});
    call.out(0, scatter(data, axis, wrapped(call.in(1), data.size(axis), data), updates, how));
  };
}

Kernel scatter_nd(const Build& build) {
  return [how = reduction(build)](Call& call) {
    at::Tensor data = call.in(0), updates = call.in(2);
    to_one_device({&data, &updates});
    const Rows rows(data, call.in(1), 0);
    const std::int64_t tuples = rows.index.numel();
    const at::Tensor index = rows.index.unsqueeze(1).expand({tuples, rows.width});
    const at::Tensor table = data.reshape({rows.count, rows.width});
    call.out(0, scatter(table, 0, index, updates.reshape({tuples, rows.width}), how).reshape(data.sizes()));
  };
}

}  // namespace

void add_scatter_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Scatter", scatter_elements});
  entries.push_back({"", "ScatterElements", scatter_elements});
  entries.push_back({"", "ScatterND", scatter_nd});
}

}  // namespace coppice::executor
