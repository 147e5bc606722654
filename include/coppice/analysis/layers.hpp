#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/graph/parameters.hpp"
#include "coppice/pruning/prepare.hpp"

namespace coppice::analysis {

/// A trainable constant.
struct TensorRow {
  std::string name;
  tensor::DType dtype = tensor::DType::undefined;
  tensor::Shape shape;
  graph::Role role = graph::Role::none;
  std::int64_t elements = 0;
  std::int64_t zeros = -1;  ///< Elements equal to zero (or to their zero point); -1: not counted, or not countable.
  std::int32_t layer = -1;  ///< Index of its LayerRow; -1 when no node reads it.
};

/// A node that computes with activations. A parameter belongs to the first node that reads it, directly or through
/// nodes that only compute with constants.
struct LayerRow {
  std::string name, op;  ///< The node's name, or else that of its first output.
  std::int32_t node = -1;
  bool ranked = false;
  tensor::Shape shape;          ///< Of the first output where MACs are counted; -1 for an unknown extent.
  std::int64_t parameters = 0;  ///< Elements.
  std::int64_t zeros = 0;       ///< Of those, zero; only where counted.
  double macs = 0;              ///< Multiply-accumulates.
  tensor::DType dtype = tensor::DType::undefined;  ///< Of its largest parameter, or else of its first output.
};

struct Layers {
  std::vector<LayerRow> rows;  ///< In the order of the nodes.
  std::vector<TensorRow> tensors;
  std::int64_t parameters = 0;  ///< Sum over the tensors.
  double macs = 0;              ///< Sum over the rows.
  /// Parameters in the subgraphs of If, Loop and Scan that depend on data; they are in no row and no sum.
  std::int64_t in_control_flow = 0;
  /// What was taken for extents that depend on data when MACs were counted; 0: there are none.
  std::int64_t data_extent = 0;
};

enum class Zeros : std::uint8_t { skip, count };

/// Every node with what it holds and how much it works. Counting zeros reads all weights.
Layers layers(const pruning::Prepared& prepared, Zeros zeros = Zeros::skip);

/// Most frequent type among the parameters, by elements; undefined without parameters.
tensor::DType main_dtype(const Layers& layers);

/// The extents for which MACs are counted, of the inputs that have dynamic ones: "input_ids 1x12"; empty: all are
/// fixed.
std::string counted_extents(const pruning::Prepared& prepared);

/// "1x64x112x112", "?" where an extent is not known, "-" for an unknown rank.
std::string shape_text(const LayerRow& row);

}  // namespace coppice::analysis
