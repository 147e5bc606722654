// Attention heads and MLP neurons of a transformer encoder, each with a ratio of its own.
#include <cmath>
#include <cstdio>
#include <string>

#include <coppice/torch/metrics.hpp>
#include <coppice/torch/pruner.hpp>
#include <torch/torch.h>

namespace {

constexpr int width = 64, head_width = 16, neurons = 256;

struct BlockImpl : torch::nn::Module {
  BlockImpl()
      : norm1(torch::nn::LayerNormOptions({width})),
        norm2(torch::nn::LayerNormOptions({width})),
        q_proj(width, width),
        k_proj(width, width),
        v_proj(width, width),
        out_proj(width, width),
        fc1(width, neurons),
        fc2(neurons, width) {
    register_module("norm1", norm1);
    register_module("norm2", norm2);
    register_module("q_proj", q_proj);
    register_module("k_proj", k_proj);
    register_module("v_proj", v_proj);
    register_module("out_proj", out_proj);
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }

  // The number of heads is left to the tensor (-1), so that the code goes along when heads are removed.
  static torch::Tensor heads(const torch::Tensor& x) {
    return x.view({x.size(0), x.size(1), -1, head_width}).transpose(1, 2);
  }

  torch::Tensor forward(torch::Tensor x) {
    const torch::Tensor h = norm1(x);
    const torch::Tensor q = heads(q_proj(h)), k = heads(k_proj(h)), v = heads(v_proj(h));
    const torch::Tensor weights = torch::softmax(torch::matmul(q, k.transpose(2, 3)) / std::sqrt(head_width), -1);
    const torch::Tensor mixed = torch::matmul(weights, v).transpose(1, 2).flatten(2);
    x = x + out_proj(mixed);
    return x + fc2(torch::gelu(fc1(norm2(x))));
  }

  torch::nn::LayerNorm norm1, norm2;
  torch::nn::Linear q_proj, k_proj, v_proj, out_proj, fc1, fc2;
};
TORCH_MODULE(Block);

}  // namespace

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential encoder{torch::nn::Linear(32, width), Block(), Block(), torch::nn::Linear(width, 10)};
  const torch::Tensor x = torch::randn({2, 12, 32});
  const coppice::Metrics before = coppice::measure(encoder, {x}, 0);

  coppice::Pruner pruner(encoder, {.pruning_ratio = {{"*.q_proj", 25}, {"*.fc1", 50}}, .example_inputs = {x}});
  std::printf("%s", describe_ignored(pruner).c_str());
  const coppice::PruneStep& step = pruner.prune_model();

  for (int i = 1; i <= 2; ++i) {
    const BlockImpl& block = *encoder->ptr<BlockImpl>(static_cast<std::size_t>(i));
    std::printf("block %d: %lld of %d heads, %lld of %d neurons\n", i,
                static_cast<long long>(block.q_proj->options.out_features() / head_width), width / head_width,
                static_cast<long long>(block.fc1->options.out_features()), neurons);
  }
  std::printf("%s\n", ratio_line(before, coppice::measure(encoder, {x}, 0)).c_str());
  std::printf("The cut is %s.\n", step.inexact.empty() ? "exact" : step.inexact.front().c_str());
  std::printf("Output: [%lld, %lld, %lld]\n", static_cast<long long>(encoder->forward(x).size(0)),
              static_cast<long long>(encoder->forward(x).size(1)), static_cast<long long>(encoder->forward(x).size(2)));
}
