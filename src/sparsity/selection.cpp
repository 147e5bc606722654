#include "sparsity/selection.hpp"

#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"

#include "sparsity/scores.hpp"

namespace coppice::sparsity {
namespace {

void check_name(const std::vector<Site>& sites, const std::string& pattern) {
  if (std::any_of(sites.begin(), sites.end(), [&](const Site& site) { return matches(site, pattern); })) return;
  std::vector<std::string_view> names;
  for (const Site& site : sites) names.push_back(site.layer);
  throw Error("layer \"" + pattern +
              "\": no layer with weights of that name; nearest: " + base::nearest_list(pattern, names));
}

}  // namespace

void check_share(const std::string& what, double sparsity) {
  if (!(sparsity >= 0 && sparsity <= 1)) throw Error(what + ": expected 0 to 1, found " + std::to_string(sparsity));
}

void check_options(const SparsifyOptions& options) {
  check_share("sparsity", options.sparsity);
  for (const auto& [name, sparsity] : options.layers) check_share("sparsity of " + name, sparsity);
  check_criterion(options.criterion);
  const Pattern& pattern = options.pattern;
  const bool keeps = pattern.kind == Pattern::Kind::keep_of;
  if (pattern.kind != Pattern::Kind::none && (pattern.a < 1 || pattern.b < 1 || (keeps && pattern.a >= pattern.b)))
    throw Error("pattern " + to_string(pattern) + ": expected " +
                (keeps ? "N:M with 0 < N < M" : "AxB with A and B of 1 or more"));
  if (pattern.kind != Pattern::Kind::none && options.granularity != Granularity::weight) {
    throw Error("pattern " + to_string(pattern) + ": expected granularity weight, found " +
                std::string(to_string(options.granularity)));
  }
  if (keeps && !options.layers.empty()) {
    throw Error("pattern " + to_string(pattern) + " makes the sparsity of every layer; found another for " +
                options.layers.front().first);
  }
}

void check_keeps_zeros(const SparsifyOptions& options) {
  if (options.criterion == importance::Criterion::small_final)
    throw Error(
        "criterion small_final: expected one that drops the smallest, for zeros of one choice must stay with the "
        "next");
}

void check_names(const std::vector<Site>& sites, const SparsifyOptions& options) {
  for (const auto& layer : options.layers) check_name(sites, layer.first);
  for (const std::string& pattern : options.ignore) check_name(sites, pattern);
}

std::optional<std::string> exclusion(const Site& site, const SparsifyOptions& options) {
  for (const std::string& pattern : options.ignore)
    if (matches(site, pattern)) return "ignored";
  if (options.keep_classifier && site.output_layer) return "output layer";
  if (!site.obstacle.empty()) return site.obstacle;
  return misfit(site, options.pattern);
}

std::optional<double> own_sparsity(const Site& site, const SparsifyOptions& options) {
  std::optional<double> out;
  for (const auto& [pattern, sparsity] : options.layers)
    if (matches(site, pattern)) out = sparsity;
  return out;
}

Error no_such_weight(const Site& site) {
  return Error(site.name + ": the model has no such weight");
}

void check_fits(const Site& site, const tensor::Tensor& weight) {
  if (weight.shape != site.shape || !tensor::is_real(weight.dtype))
    throw Error(site.name + ": expected " + tensor::to_string(site.shape) + " real numbers, found " +
                tensor::to_string(weight.shape) + " of " + std::string(tensor::name(weight.dtype)));
}

void nothing_left(const std::vector<LeftDense>& left) {
  if (left.empty())
    throw Error("nothing to sparsify: the model has no Conv, ConvTranspose, Gemm or MatMul with weights");
  throw Error("nothing to sparsify: all " + std::to_string(left.size()) + " layers stay dense; the first, " +
              left.front().site.layer + ": " + left.front().reason);
}

}  // namespace coppice::sparsity
