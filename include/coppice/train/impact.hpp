#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/sparsity/pattern.hpp"
#include "coppice/torch/latency.hpp"
#include "coppice/train/evaluate.hpp"

/// What ways to prune cost and bring, side by side, for one model.
namespace coppice {

enum class ImpactKind {
  weights,   ///< Single weights become zero, by a criterion that looks at the weights alone; of each layer.
  scores,    ///< The same, by one that looks at data; snip: of all layers together.
  layers,    ///< wanda and sparse_gpt, layer after layer.
  channels,  ///< Structure goes: all that pruning::prune() can take.
  heads,     ///< Structure goes: attention heads alone.
};

struct ImpactMethod {
  std::string text;  ///< As written: "magnitude:50%".
  ImpactKind kind = ImpactKind::weights;
  std::string criterion;        ///< Its name; empty for structure.
  double amount = 0;            ///< Share of the weights or units.
  sparsity::Pattern pattern{};  ///< N:M, in place of an amount.

  bool needs_data() const { return kind == ImpactKind::scores || kind == ImpactKind::layers; }
  bool needs_labels() const;
};

/// Reads NAME:AMOUNT or N:M. NAME is magnitude, channels, heads, wanda, sparse_gpt, or a criterion for single weights;
/// AMOUNT is a share (50%, 50 or 0.5) or, for weights, N:M. Throws Error on anything else.
ImpactMethod parse_impact_method(std::string_view text);
/// magnitude:50%, magnitude:90%, 2:4, channels:25%, channels:50% and, where the model has attention, heads:50%.
std::vector<std::string> usual_impact_methods(const graph::Model& model);

/// Bytes of the file by how its constants are stored.
struct ImpactBytes {
  std::uint64_t dense = 0;               ///< ONNX.
  std::uint64_t sparse_initializer = 0;  ///< ONNX, see formats::Encoding.
  std::uint64_t bitmask = 0;             ///< See formats::pack_model().
};

struct ImpactRow {
  std::string method;  ///< "original" for the first.
  std::string reason;  ///< Why there are no numbers; empty when there are.
  std::int64_t parameters = 0, zeros = 0;
  double macs = 0;
  ImpactBytes bytes;
  Latency latency;
  /// ||outputs - original's|| / ||original's||, over all real outputs together; NaN where outputs are no numbers.
  double error = 0;
  std::optional<double> metric;
};

struct ImpactOptions {
  std::vector<std::string> methods;                          ///< Empty: the usual ones.
  std::vector<std::pair<std::string, graph::Shape>> shapes;  ///< Extents of inputs, by name.
  Calibration calibration;  ///< For methods that look at data; its first batch is what outputs are compared on.
  BatchSource evaluation;   ///< Labelled; empty: no metric.
  Metric metric = accuracy();
  double seconds = 3;  ///< Of measuring latencies, all together.
  std::uint64_t seed = 0;
  at::Device device = at::kCPU;
  base::Progress* progress = nullptr;  ///< Told of every method that was applied.
};

struct Impact {
  std::string metric;           ///< Its name; empty where none was measured.
  std::vector<ImpactRow> rows;  ///< The original, then the methods in their order.

  /// Tables of at most 80 columns.
  std::string text() const;
  std::string json() const, csv() const, markdown() const;
};

/// Applies every method to a copy of the model, each to the original, and measures what comes out, without training.
/// Latencies are those of GraphModule, on random inputs, in turns: whatever slows the machine meanwhile slows all of
/// them alike. Outputs are compared on the first batch of the calibration data, else on random inputs. A method that
/// the model does not allow is a row with the reason. All models are in memory together.
///
/// Throws Error for a method that is not one or lacks the data that it looks at, and what the original throws.
Impact measure_impact(const graph::Model& model, const ImpactOptions& options);

}  // namespace coppice
