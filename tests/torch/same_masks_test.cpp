#include <cmath>

#include <ATen/ops/topk.h>
#include <gtest/gtest.h>

#include "coppice/tensor/smallest.hpp"
#include "coppice/torch/tensors.hpp"

namespace coppice {
namespace {

// What torch.nn.utils.prune.global_unstructured computes with L1Unstructured: the lowest of all absolute values joined.
TEST(Smallest, IsWhatPyTorchZeroesWithoutTies) {
  at::Generator generator = at::detail::createCPUGenerator(11);
  std::vector<at::Tensor> tensors;
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{64, 3, 7, 7}, {512, 300}, {1}, {1000, 513}, {17, 5, 1, 1}})
    tensors.push_back(at::randn(shape, generator, at::kDouble));
  std::vector<at::Tensor> flat;
  std::vector<tensor::Weights> lists;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    flat.push_back(tensors[i].flatten());
    lists.push_back({"w" + std::to_string(i), to_coppice(tensors[i])});
  }
  const at::Tensor all = at::cat(flat).abs();
  ASSERT_EQ(std::get<0>(at::unique_dim(all, 0)).numel(), all.numel());
  for (const double amount : {0.1, 0.5, 0.9, 0.999}) {
    const std::int64_t count = std::llround(amount * static_cast<double>(all.numel()));
    const at::Tensor lowest = std::get<1>(at::topk(all, count, -1, /*largest=*/false));
    const at::Tensor mask = at::ones({all.numel()}, at::kDouble).index_fill_(0, lowest, 0);
    const tensor::Smallest found = tensor::Smallest::of(lists, count);
    std::vector<at::Tensor> ours;
    for (std::size_t i = 0; i < tensors.size(); ++i) ours.push_back(to_torch(found.zeroed(i)).flatten());
    EXPECT_TRUE(at::cat(ours).equal(at::cat(flat) * mask)) << amount;
  }
}

}  // namespace
}  // namespace coppice
