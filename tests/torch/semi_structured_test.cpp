#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include "coppice/torch/masks.hpp"

namespace coppice {
namespace {

// libtorch's kernels of semi-structured sparsity came with 2.1: they are looked up by name, so that this builds with
// every version. What the schema has beyond the given arguments takes its defaults.
at::Tensor call(const c10::OperatorHandle& kernel, std::vector<c10::IValue> stack) {
  const auto& expected = kernel.schema().arguments();
  for (std::size_t i = stack.size(); i < expected.size(); ++i) stack.push_back(*expected[i].default_value());
  kernel.callBoxed(&stack);
  return stack.front().toTensor();
}

// Sparse tensor cores take exactly the weights that the pattern 2:4 leaves.
TEST(SemiStructured, KernelsTakeTheWeightsOf2To4) {
  if (!at::detail::getCUDAHooks().hasCUDA()) GTEST_SKIP() << "needs a CUDA device";
  c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
  const auto compress = dispatcher.findSchema({"aten::_cslt_compress", ""}),
             multiply = dispatcher.findSchema({"aten::_cslt_sparse_mm", ""});
  if (!compress || !multiply) GTEST_SKIP() << "needs a libtorch with cuSPARSELt, 2.1 or later";

  constexpr std::int64_t width = 4096, samples = 4096;
  const torch::nn::Linear layer(torch::nn::LinearOptions(width, width).bias(false));
  const sparsity::SparsifyOptions options{.pattern = sparsity::parse_pattern("2:4")};
  const std::vector<at::Tensor> example{at::ones({1, width})};
  apply_masks(layer, choose_masks(layer, options, example), example);
  const auto half = at::TensorOptions().dtype(at::kHalf).device(at::kCUDA);
  const at::Tensor weight = layer->weight.detach().to(half), inputs = at::randn({width, samples}, half);
  const at::Tensor compressed = call(*compress, {weight});

  const at::Tensor dense = at::matmul(weight, inputs), sparse = call(*multiply, {compressed, inputs});
  // fp16 sums of 2,048 products in another order.
  EXPECT_LT((dense.to(at::kFloat) - sparse.to(at::kFloat)).norm().item<double>(),
            2e-3 * dense.to(at::kFloat).norm().item<double>());

  const auto seconds = [](const std::function<at::Tensor()>& work) {
    const auto wait = [](const at::Tensor& done) { (void)done.reshape({-1})[0].item(); };
    double best = 1e9;
    for (int turn = 0; turn < 20; ++turn) {
      const auto start = std::chrono::steady_clock::now();
      wait(work());
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  const double by_dense = seconds([&] { return at::matmul(weight, inputs); });
  const double by_sparse = seconds([&] { return call(*multiply, {compressed, inputs}); });
  std::printf("2:4 beside dense, %lld x %lld times %lld samples in fp16: %.2f times as fast\n",
              static_cast<long long>(width), static_cast<long long>(width), static_cast<long long>(samples),
              by_dense / by_sparse);
}

}  // namespace
}  // namespace coppice
