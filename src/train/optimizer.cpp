#include "coppice/train/optimizer.hpp"

#include <string>

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"

namespace coppice {
namespace {

using torch::optim::OptimizerParamGroup;

constexpr base::Names<OptimizerKind, 3> names{
    {{OptimizerKind::sgd, "sgd"}, {OptimizerKind::adam, "adam"}, {OptimizerKind::adamw, "adamw"}}};

void expect(bool holds, const char* what, double found) {
  if (!holds) throw Error(std::string("optimizer: expected ") + what + ", found " + std::to_string(found));
}

template <class Optimizer, class Defaults>
std::unique_ptr<torch::optim::Optimizer> make(const OptimizerOptions& options, Defaults defaults,
                                              const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> decaying, others;
  for (const at::Tensor& parameter : parameters) {
    if (!parameter.requires_grad()) continue;
    (options.decay_vectors || parameter.dim() > 1 ? decaying : others).push_back(parameter);
  }
  if (decaying.empty() && others.empty())
    throw Error("optimizer: expected parameters that require gradients, found none");
  std::vector<OptimizerParamGroup> groups;
  const auto add = [&](std::vector<at::Tensor> some, double decay) {
    if (some.empty()) return;
    auto own = std::make_unique<Defaults>(defaults);
    own->weight_decay(decay);
    groups.emplace_back(std::move(some), std::move(own));
  };
  add(std::move(decaying), options.weight_decay);
  add(std::move(others), 0);
  return std::make_unique<Optimizer>(std::move(groups), defaults);
}

}  // namespace

std::string_view to_string(OptimizerKind kind) {
  return base::find_name(names, kind);
}

OptimizerKind parse_optimizer(std::string_view text) {
  return base::parse_name("optimizer", names, text);
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options,
                                                        const std::vector<at::Tensor>& parameters) {
  expect(options.learning_rate > 0, "a learning rate above 0", options.learning_rate);
  expect(options.momentum >= 0 && options.momentum < 1, "a momentum from 0 to below 1", options.momentum);
  expect(options.weight_decay >= 0, "a weight decay of 0 or more", options.weight_decay);
  expect(options.beta1 >= 0 && options.beta1 < 1, "a first beta from 0 to below 1", options.beta1);
  expect(options.beta2 >= 0 && options.beta2 < 1, "a second beta from 0 to below 1", options.beta2);
  if (options.nesterov && options.momentum == 0) throw Error("optimizer: nesterov expects a momentum above 0");
  const auto betas = std::make_tuple(options.beta1, options.beta2);
  switch (options.kind) {
    case OptimizerKind::adam:
      return make<torch::optim::Adam>(options, torch::optim::AdamOptions(options.learning_rate).betas(betas),
                                      parameters);
    case OptimizerKind::adamw:
      return make<torch::optim::AdamW>(options, torch::optim::AdamWOptions(options.learning_rate).betas(betas),
                                       parameters);
    case OptimizerKind::sgd:
      break;
  }
  const auto sgd =
      torch::optim::SGDOptions(options.learning_rate).momentum(options.momentum).nesterov(options.nesterov);
  return make<torch::optim::SGD>(options, sgd, parameters);
}

}  // namespace coppice
