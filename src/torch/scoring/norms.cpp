#include "torch/scoring/norms.hpp"

#include <map>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"

#include "torch/scoring/batches.hpp"
#include "torch/scoring/layers.hpp"

namespace coppice::scoring {
namespace {

/// Sums of squares along the channels of observed values.
class Squares {
 public:
  explicit Squares(GraphModule& module) : module_(module) {}
  ~Squares() {
    for (int id : ids_) module_.forget(id);
  }
  Squares(const Squares&) = delete;
  Squares& operator=(const Squares&) = delete;

  void watch(const std::string& value, int channels) {
    const auto [place, added] = sums_.try_emplace({value, channels});
    if (!added) return;
    at::Tensor& sum = place->second;
    try {
      ids_.push_back(module_.observe(value, [&sum, channels](at::Tensor& x) { add(sum, x, channels); }));
    } catch (const Error&) {
      // Inside control flow that the twin keeps, where prepare() has resolved it: its norm stays unknown.
    }
  }
  /// Undefined where the value was never computed.
  at::Tensor of(const std::string& value, int channels) const {
    const auto found = sums_.find({value, channels});
    return found == sums_.end() ? at::Tensor() : found->second;
  }

 private:
  static void add(at::Tensor& sum, const at::Tensor& x, int channels) {
    if (channels >= x.dim() || -channels > x.dim() || !x.is_floating_point()) return;
    const std::int64_t axis = channels < 0 ? x.dim() + channels : channels;
    const at::Tensor square = x.detach().to(at::kDouble).square();
    const at::Tensor here = square.transpose(0, axis).flatten(1).sum(1);
    sum = sum.defined() ? sum + here : here;
  }

  GraphModule& module_;
  std::vector<int> ids_;
  std::map<std::pair<std::string, int>, at::Tensor> sums_;
};

// Ones, but for the extents given by axis.
at::Tensor shaped(const at::Tensor& tensor, std::size_t rank, std::vector<std::pair<int, std::int64_t>> extents) {
  std::vector<std::int64_t> shape(rank, 1);
  for (const auto& [axis, extent] : extents) shape[at(axis)] = extent;
  return tensor.reshape(shape);
}

// `norm` has a number for each input channel; the weight lists those of one group, and its groups along the outputs.
at::Tensor along_input(const at::Tensor& norm, const Layer& layer, std::span<const coupling::Axis> axes) {
  const std::int64_t length = axes[at(layer.input_axis)].length;
  if (norm.numel() == length) return shaped(norm, axes.size(), {{layer.input_axis, length}});
  if (layer.output_axis < 0 || norm.numel() != length * layer.groups) return {};
  const std::int64_t outputs = axes[at(layer.output_axis)].length;
  if (outputs % layer.groups != 0) return {};
  const at::Tensor rows = norm.reshape({layer.groups, length}).repeat_interleave(outputs / layer.groups, 0);
  return shaped(layer.output_axis < layer.input_axis ? rows : rows.t(), axes.size(),
                {{layer.input_axis, length}, {layer.output_axis, outputs}});
}

// A grouped transposed convolution lists the outputs of one group: they stand for those of all.
at::Tensor along_output(const at::Tensor& squares, const Layer& layer, std::span<const coupling::Axis> axes) {
  const std::int64_t length = axes[at(layer.output_axis)].length;
  if (length == 0 || squares.numel() % length != 0) return {};
  return shaped(squares.reshape({-1, length}).sum(0).sqrt(), axes.size(), {{layer.output_axis, length}});
}

}  // namespace

void add_norms(Evidence& evidence, const CriterionOptions& options, const Calibration& calibration,
               const Activations& activations) {
  const pruning::Prepared& prepared = *activations.prepared;
  const graph::Graph& graph = prepared.model.graph;
  std::vector<Layer> layers = find_layers(prepared);
  std::erase_if(layers, [&](const Layer& layer) { return !evidence.contains(graph.name_of(layer.weight)); });
  for (const Layer& layer : layers) {
    WeightView& view = evidence.find(graph.name_of(layer.weight))->second;
    view.input_axis = layer.input_axis;
    view.output_axis = layer.output_axis;
  }
  if (!options.input_norm && !options.output_norm) return;

  Squares squares(*activations.module);
  const auto name = [&](graph::ValueId value) { return std::string(graph.name_of(value)); };
  const auto input = [&](const Layer& layer) {
    return options.input_norm && layer.input_axis >= 0 && layer.input != graph::no_value;
  };
  const auto output = [&](const Layer& layer) { return options.output_norm && layer.output_axis >= 0; };
  for (const Layer& layer : layers) {
    if (input(layer)) squares.watch(name(layer.input), layer.input_channels);
    if (output(layer)) squares.watch(name(layer.output), layer.output_channels);
  }
  const at::Device device = evidence.begin()->second.weight.device();
  const at::NoGradGuard no_gradients;
  const std::int64_t samples =
      for_each_batch(calibration, device, false, [&](const Batch& batch, const std::string& where) {
        guarded(where, [&] { activations.module->run(batch.inputs); });
      });
  for (const Layer& layer : layers) {
    WeightView& view = evidence.find(graph.name_of(layer.weight))->second;
    const auto axes = prepared.couplings.axes(layer.weight);
    if (input(layer))
      if (const at::Tensor sum = squares.of(name(layer.input), layer.input_channels); sum.defined())
        view.input_norm = along_input((sum / samples).sqrt(), layer, axes);
    if (output(layer))
      if (const at::Tensor sum = squares.of(name(layer.output), layer.output_channels); sum.defined())
        view.output_norm = along_output(sum / samples, layer, axes);
  }
}

}  // namespace coppice::scoring
