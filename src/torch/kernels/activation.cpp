#include "torch/kernels/activation.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include "coppice/base/error.hpp"

namespace coppice::executor {
namespace {

struct Named {
  std::string_view name;
  Activation activation;
  ActivationNumbers takes = {};
};

using at::Tensor;

const std::array<Named, 13> all{{
    {"affine", {[](const Tensor& x, double alpha, double beta) { return x * alpha + beta; }, 1, 0}, {true, true}},
    {"clip",
     {[](const Tensor& x, double alpha, double beta) { return at::clamp(x, alpha, beta); }, 0, 0},
     {true, true}},
    {"elu", {[](const Tensor& x, double alpha, double) { return at::elu(x, alpha); }, 1, 0}, {true, false}},
    {"hardsigmoid",
     {[](const Tensor& x, double alpha, double beta) { return at::clamp(x * alpha + beta, 0, 1); }, 0.2, 0.5},
     {true, true}},
    {"leakyrelu",
     {[](const Tensor& x, double alpha, double) { return at::leaky_relu(x, alpha); }, 0.01, 0},
     {true, false}},
    {"relu", {[](const Tensor& x, double, double) { return at::relu(x); }, 0, 0}},
    {"scaledtanh",
     {[](const Tensor& x, double alpha, double beta) { return at::tanh(x * beta) * alpha; }, 1, 1},
     {true, true}},
    {"sigmoid", {[](const Tensor& x, double, double) { return at::sigmoid(x); }, 0, 0}},
    {"softplus", {[](const Tensor& x, double, double) { return at::softplus(x); }, 0, 0}},
    {"softsign", {[](const Tensor& x, double, double) { return x / (at::abs(x) + 1); }, 0, 0}},
    {"tanh", {[](const Tensor& x, double, double) { return at::tanh(x); }, 0, 0}},
    {"thresholdedrelu",
     {[](const Tensor& x, double alpha, double) { return at::where(x > alpha, x, at::zeros_like(x)); }, 1, 0},
     {true, false}},
    {"", {}},
}};

const Named& find(std::string_view name) {
  std::string low(name);
  std::transform(low.begin(), low.end(), low.begin(), [](unsigned char ch) { return std::tolower(ch); });
  for (const Named& named : all)
    if (named.name == low) return named;
  throw Error("activation: expected one of ONNX's, found " + std::string(name));
}

}  // namespace

Activation find_activation(std::string_view name) {
  return find(name).activation;
}

ActivationNumbers activation_numbers(std::string_view name) {
  return find(name).takes;
}

}  // namespace coppice::executor
