#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::sparsity {

/// A weight that may become sparse: a constant that a Conv, ConvTranspose, Gemm or MatMul multiplies with, at once or
/// behind Identity, Cast and Transpose. Biases, scales, embeddings, recurrent weights and subgraphs are left alone.
struct Site {
  std::string name;               ///< Of the constant.
  std::string layer;              ///< Of the node, as a module's path where its name is one.
  graph::ValueId value = -1;      ///< The constant.
  std::size_t node = 0;           ///< The (first) node that multiplies with it.
  std::size_t operand = 0;        ///< Which of that node's inputs it is.
  graph::Shape shape;             ///< Of the constant, which the axes are of too.
  std::size_t output_axis = 0;    ///< Grouped convolutions: all groups' outputs, of ConvTranspose one group's.
  std::size_t input_axis = 0;     ///< Grouped convolutions: inputs of one group, of ConvTranspose all.
  std::int64_t input_groups = 1;  ///< Groups whose inputs the input axis lists one after the other (ConvTranspose).
  /// Of a convolution: the axes of depth if any, height if any, width. Empty: a matrix, whose other axes are a batch.
  std::vector<std::size_t> kernel_axes = {};
  bool output_layer = false;  ///< Between it and some output of the graph stands no other site: the classifier.
  std::string other_reader;   ///< What else reads the constant: Gather "wte", a second product. Usually empty.
  std::string obstacle;       ///< Why zeros cannot be written, such as "int8 weights"; usually empty.

  bool convolution() const { return !kernel_axes.empty(); }
};

/// In the order of the nodes. A weight that several nodes read is listed once, with the axes of its first use.
std::vector<Site> find_sites(const graph::Graph& graph);

/// Those in subgraphs, at any depth, that are no sites outside of them too: `obstacle` says where they are. Of each
/// only name, layer, shape and obstacle are to be relied on.
std::vector<Site> find_inner_sites(const graph::Graph& graph);

/// Whether `pattern` is the name of the site's layer or constant or a dotted beginning of it; '*' stands for any
/// characters and '?' for one.
bool matches(const Site& site, std::string_view pattern);

}  // namespace coppice::sparsity
