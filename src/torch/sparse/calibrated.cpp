#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"
#include "coppice/torch/calibrated_sparsity.hpp"

#include "base/naming.hpp"
#include "sparsity/selection.hpp"
#include "torch/scoring/batches.hpp"
#include "torch/sparse/layer_goal.hpp"
#include "torch/sparse/layer_view.hpp"
#include "torch/trace/undisturbed.hpp"

namespace coppice {
namespace {

using sparse::LayerView;

constexpr base::Names<SparsityMethod, 3> names{{{SparsityMethod::magnitude, "magnitude"},
                                                {SparsityMethod::wanda, "wanda"},
                                                {SparsityMethod::sparse_gpt, "sparse_gpt"}}};

void check(const CalibratedOptions& options) {
  const sparsity::SparsifyOptions &what = options.what, usual;
  sparsity::check_share("sparsity", what.sparsity);
  for (const auto& [name, share] : what.layers) sparsity::check_share("sparsity of " + name, share);
  if (!what.scores.empty())
    throw Error("calibrated sparsity: expected no scores, found those of " + what.scores.begin()->first);
  if (what.granularity != usual.granularity || what.context != usual.context || what.criterion != usual.criterion)
    throw Error("calibrated sparsity: expected granularity, context and criterion left alone, found others");
  const bool runs = what.pattern.kind == sparsity::Pattern::Kind::keep_of;
  if (what.pattern.kind == sparsity::Pattern::Kind::tiles)
    throw Error("calibrated sparsity: expected no pattern or N:M, found " + sparsity::to_string(what.pattern));
  if (runs && (options.owl || !what.layers.empty()))
    throw Error("pattern " + sparsity::to_string(what.pattern) + " makes the sparsity of every layer; found " +
                (options.owl ? "owl" : what.layers.front().first));
  if (!(options.owl_spread >= 0) || !(options.owl_multiple > 0))
    throw Error("owl: expected a spread of 0 or more and a multiple above 0");
  if (!options.calibration.data) throw Error("calibrated sparsity: expected calibration data, found none");
}

struct Layer {
  sparsity::Site site;
  LayerView view;
  at::Tensor weight;  ///< The module's own.
  SparsityGoal goal;
};

/// Ends a run: what comes behind is not wanted.
struct Enough {};

class Work {
 public:
  Work(GraphModule& module, const CalibratedOptions& options) : module_(module), options_(options) {
    const graph::Model model = module.view();
    const std::vector<sparsity::Site> sites = sparsity::find_sites(model.graph);
    sparsity::check_names(sites, options.what);
    std::map<std::string, at::Tensor> constants = module.constants();
    for (const sparsity::Site& site : sites) {
      auto reason = sparsity::exclusion(site, options.what);
      if (!reason) reason = LayerView::obstacle(model, site);
      const auto weight = constants.find(site.name);
      if (!reason && weight == constants.end()) reason = "not a tensor of the module";
      if (reason) {
        report.left.push_back({site, *reason});
        continue;
      }
      SparsityGoal goal{.share = sparsity::own_sparsity(site, options.what).value_or(options.what.sparsity)};
      if (options.what.pattern.kind == sparsity::Pattern::Kind::keep_of)
        goal = {.keep = options.what.pattern.a, .of = options.what.pattern.b};
      layers_.push_back({site, LayerView(model, site), weight->second, goal});
      base::naming(layers_.back().site.layer, [&] { check_layer(layers_.back()); });
    }
    for (sparsity::Site& site : sparsity::find_inner_sites(model.graph)) report.left.push_back({site, site.obstacle});
    if (layers_.empty()) sparsity::nothing_left(report.left);
  }

  void run() {
    const tracing::Undisturbed undisturbed(module_, true);
    std::vector<at::Tensor> before;
    for (const Layer& layer : layers_) before.push_back(layer.weight.detach().clone());
    if (options_.progress) options_.progress->begin("sparsify", layers_.size());
    try {
      if (options_.owl) set_owl_shares();
      for (std::size_t first = 0; first < layers_.size();) {
        const std::size_t end = same_input(first);
        const std::vector<MomentsPtr> moments = look(first, end, true);
        for (std::size_t i = first; i < end; ++i) {
          base::naming(layers_[i].site.layer, [&] { make_sparse(layers_[i], *moments[i - first]); });
          if (options_.progress) options_.progress->advance(i + 1);
        }
        first = end;
      }
    } catch (...) {
      for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].weight.copy_(before[i]);
      if (options_.progress) options_.progress->end();
      throw;
    }
    if (options_.progress) options_.progress->end();
  }

  CalibratedReport report;

 private:
  using Moments = std::vector<InputMoments>;  // by group
  using MomentsPtr = std::shared_ptr<Moments>;

  static void check_layer(const Layer& layer) {
    sparse::check_goal(layer.goal, layer.view.columns());
    const at::Tensor finite = layer.weight.detach().isfinite().flatten();
    if (finite.all().item<bool>()) return;
    throw Error("expected finite numbers, found another as weight " +
                std::to_string(finite.logical_not().to(at::kByte).argmax().item<std::int64_t>()));
  }

  // Behind the last of the layers from `first` on that are given the same value.
  std::size_t same_input(std::size_t first) const {
    std::size_t end = first + 1;
    while (end < layers_.size() && layers_[end].view.input() == layers_[first].view.input()) ++end;
    return end;
  }

  // What the layers first to end, of one input, are given. Query, key and value are given the same: once for all.
  std::vector<MomentsPtr> look(std::size_t first, std::size_t end, bool products) {
    std::vector<MomentsPtr> out;
    std::vector<std::size_t> looking;
    for (std::size_t i = first; i < end; ++i) {
      const LayerView& view = layers_[i].view;
      const auto other =
          std::find_if(looking.begin(), looking.end(), [&](std::size_t j) { return view.same_rows(layers_[j].view); });
      if (other != looking.end()) {
        out.push_back(out[*other - first]);
        continue;
      }
      looking.push_back(i);
      out.push_back(std::make_shared<Moments>());
      for (std::int64_t group = 0; group < view.groups(); ++group) out.back()->emplace_back(view.columns(), products);
    }
    const int id = module_.observe(layers_[first].view.input(), [&](at::Tensor& value) {
      for (const std::size_t i : looking)
        layers_[i].view.for_each_rows(value, [&](std::int64_t group, const at::Tensor& rows) {
          base::naming(layers_[i].site.layer, [&] { (*out[i - first])[static_cast<std::size_t>(group)].add(rows); });
        });
      throw Enough();
    });
    try {
      report.samples = scoring::for_each_batch(
          options_.calibration, layers_[first].weight.device(), false,
          [&](const Batch& batch, const std::string& where) { scoring::guarded(where, [&] { run_as_far(batch); }); });
    } catch (...) {
      module_.forget(id);
      throw;
    }
    module_.forget(id);
    return out;
  }

  void run_as_far(const Batch& batch) {
    try {
      module_.run(batch.inputs);
    } catch (const Enough&) {
    }
  }

  void set_owl_shares() {
    std::vector<double> outliers;
    std::vector<std::int64_t> weights;
    std::vector<std::size_t> places;  // of those without a share of their own
    for (std::size_t first = 0; first < layers_.size();) {
      const std::size_t end = same_input(first);
      const std::vector<MomentsPtr> moments = look(first, end, false);
      for (std::size_t i = first; i < end; ++i) {
        if (sparsity::own_sparsity(layers_[i].site, options_.what)) continue;
        const at::Tensor matrices = layers_[i].view.matrices(layers_[i].weight.detach());
        std::vector<at::Tensor> scores;
        for (std::int64_t group = 0; group < matrices.size(0); ++group)
          scores.push_back(
              wanda_scores(matrices[group], (*moments[i - first])[static_cast<std::size_t>(group)].norms()));
        outliers.push_back(outlier_share(at::cat(scores), options_.owl_multiple));
        weights.push_back(layers_[i].weight.numel());
        places.push_back(i);
      }
      first = end;
    }
    if (places.empty()) return;
    const std::vector<double> shares = owl_shares(outliers, weights, options_.what.sparsity, options_.owl_spread);
    for (std::size_t i = 0; i < places.size(); ++i) layers_[places[i]].goal.share = shares[i];
  }

  // Of nine weights half is four: what is rounded off in one group, the next makes up for. SparseGPT alone chooses by
  // group: Wanda does by output, and magnitude from the whole layer.
  SparsityGoal goal_of_group(const Layer& layer, std::int64_t group) const {
    SparsityGoal goal = layer.goal;
    const std::int64_t groups = layer.view.groups(), weights = layer.weight.numel() / groups;
    if (options_.method != SparsityMethod::sparse_gpt || goal.of > 0 || groups == 1) return goal;
    const std::int64_t drop =
        sparse::drop_count(goal.share, weights * (group + 1)) - sparse::drop_count(goal.share, weights * group);
    goal.share = static_cast<double>(std::min(drop, weights - 1)) / static_cast<double>(weights);
    return goal;
  }

  // A layer's matrices [groups, outputs, inputs] without their smallest numbers.
  static at::Tensor without_smallest(const at::Tensor& matrices, const SparsityGoal& goal) {
    const at::Tensor wide = matrices.to(at::kDouble), sizes = wide.abs();
    const at::Tensor keep =
        goal.of > 0 ? keep_by_output(sizes.flatten(0, 1), goal)
                    : sparse::all_but_lowest(sizes.flatten(), sparse::drop_count(goal.share, sizes.numel()));
    return wide.masked_fill(keep.view_as(wide).logical_not(), 0);
  }

  // The new matrix of a group, by what its inputs are.
  at::Tensor changed(const at::Tensor& matrix, const InputMoments& moments, const at::Tensor& hessian,
                     const SparsityGoal& goal, double& damping) const {
    if (options_.method == SparsityMethod::sparse_gpt) {
      const SparseGptResult found = sparse_gpt(matrix, hessian, goal, options_.sparse_gpt);
      damping = std::max(damping, found.damping);
      return found.weight;
    }
    const at::Tensor wide = matrix.to(at::kDouble);
    return wide.masked_fill(keep_by_output(wanda_scores(wide, moments.norms()), goal).logical_not(), 0);
  }

  void make_sparse(Layer& layer, const Moments& moments) {
    const at::Tensor matrices = layer.view.matrices(layer.weight.detach());
    CalibratedLayer line{.name = layer.site.name, .layer = layer.site.layer, .weights = layer.weight.numel()};
    std::vector<at::Tensor> made;
    if (options_.method == SparsityMethod::magnitude) made = without_smallest(matrices, layer.goal).unbind();
    double lost = 0, whole = 0;
    for (std::int64_t group = 0; group < matrices.size(0); ++group) {
      const InputMoments& inputs = moments[static_cast<std::size_t>(group)];
      const at::Tensor hessian = inputs.hessian();
      if (options_.method != SparsityMethod::magnitude)
        made.push_back(changed(matrices[group], inputs, hessian, goal_of_group(layer, group), line.damping));
      lost += output_energy(made[static_cast<std::size_t>(group)] - matrices[group], hessian);
      whole += output_energy(matrices[group], hessian);
    }
    line.error = whole > 0 ? lost / whole : 0;
    layer.weight.copy_(layer.view.weight(at::stack(made)));
    line.zeros = layer.weight.eq(0).sum().item<std::int64_t>();
    report.layers.push_back(std::move(line));
  }

  GraphModule& module_;
  const CalibratedOptions& options_;
  std::vector<Layer> layers_;
};

}  // namespace

std::string_view to_string(SparsityMethod method) {
  return base::find_name(names, method);
}

SparsityMethod parse_sparsity_method(std::string_view text) {
  return base::parse_name("sparsity method", names, text);
}

CalibratedReport sparsify_calibrated(GraphModule& module, const CalibratedOptions& options) {
  check(options);
  Work work(module, options);
  work.run();
  return std::move(work.report);
}

}  // namespace coppice
