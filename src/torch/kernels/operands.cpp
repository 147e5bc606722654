#include "torch/kernels/operands.hpp"

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

namespace coppice::executor {
namespace {

template <class Operands, class Get>
void move_all(Operands& operands, Get get) {
  const at::Tensor* guide = nullptr;
  bool mixed = false;
  for (auto& operand : operands) {
    const at::Tensor& tensor = get(operand);
    if (!tensor.defined()) continue;
    if (!guide) guide = &tensor;
    mixed |= tensor.device() != guide->device();
    if (guide->is_cpu() && !tensor.is_cpu()) guide = &tensor;
  }
  if (!mixed) return;
  const at::Device device = guide->device();
  for (auto& operand : operands)
    if (at::Tensor& tensor = get(operand); tensor.defined() && tensor.is_cpu()) tensor = tensor.to(device);
}

}  // namespace

void to_one_device(std::initializer_list<at::Tensor*> operands) {
  move_all(operands, [](at::Tensor* operand) -> at::Tensor& { return *operand; });
}

void to_one_device(std::vector<at::Tensor>& operands) {
  move_all(operands, [](at::Tensor& operand) -> at::Tensor& { return operand; });
}

std::vector<at::Tensor> all_operands(const Call& call) {
  std::vector<at::Tensor> out;
  for (std::size_t i = 0; i < call.input_count(); ++i)
    if (call.has(i)) out.push_back(call.in(i));
  to_one_device(out);
  return out;
}

std::int64_t one_integer(const Call& call, std::size_t i) {
  const std::vector<std::int64_t> numbers = call.ints(i);
  if (numbers.size() != 1)
    throw Error("operand " + std::to_string(i) + ": expected one number, found " + std::to_string(numbers.size()));
  return numbers[0];
}

at::Tensor wrapped(const at::Tensor& indices, std::int64_t extent, const at::Tensor& data) {
  const at::Tensor whole = indices.to(data.device(), at::kLong);
  return at::where(whole < 0, whole + extent, whole);
}

bool is_short_float(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kHalf || tensor.scalar_type() == at::kBFloat16;
}

bool is_whole(const at::Tensor& tensor) {
  return at::isIntegralType(tensor.scalar_type(), true);
}

tensor::DType declared_type(const Build& build, graph::ValueId value) {
  return value == graph::no_value ? tensor::DType::undefined : build.graph().values[at(value)].dtype;
}

at::Tensor wrap_unsigned(const at::Tensor& tensor, tensor::DType declared) {
  if (declared == tensor::DType::uint16) return at::bitwise_and(tensor, 0xffff);
  if (declared == tensor::DType::uint32) return at::bitwise_and(tensor, std::int64_t{0xffffffff});
  return tensor;
}

}  // namespace coppice::executor
