#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coppice/graph/model.hpp"

#include "formats/onnx/proto.hpp"
#include "formats/onnx/side_files.hpp"
#include "formats/onnx/skeleton.hpp"

/// Conversion of parsed skeletons to the graph IR. Each function clears what it has understood in its proto; what is
/// left becomes the `extra` string. Errors name the element but not the file.
namespace coppice::formats::onnx_detail {

struct ReadContext {
  Blobs blobs;
  SideFiles side_files;
  std::uint64_t sparse_room = std::uint64_t{1} << 30;  ///< Bytes that sparse initializers may still become.
};

/// For messages: `initializer "x"`.
struct Where {
  std::string_view what, name;
  [[noreturn]] void fail(const std::string& problem) const;
};

struct ReadTensor {
  tensor::Tensor tensor;
  bool external = false;
};

/// Domain "ai.onnx" is the empty one.
std::string normal_domain(std::string domain);

/// Serialises what is left of a message, with blobs in place.
template <class Proto>
std::string remains(const Proto& proto, Kind kind, const ReadContext& context) {
  if (proto.ByteSizeLong() == 0) return {};
  return full_message(proto.SerializePartialAsString(), kind, context.blobs);
}

/// The tensor's name and documentation stay in `proto`.
ReadTensor read_tensor(onnx::TensorProto& proto, const Where& where, ReadContext& context);
/// Bytes of a tensor whose numbers are in typed fields (float_data and so on), which are cleared.
tensor::Bytes read_typed_data(onnx::TensorProto& proto, tensor::DType dtype, std::int64_t elements, const Where& where);

/// The dense form of a sparse initializer, whose bytes are made when they are asked for; the indices are checked now.
/// The name stays in `proto`. Nothing, and `proto` as it was, for strings and types without whole bytes.
std::optional<ReadTensor> read_sparse_tensor(onnx::SparseTensorProto& proto, const Where& where, ReadContext& context);

graph::Attribute read_attribute(onnx::AttributeProto& proto, ReadContext& context);
graph::Node read_node(graph::Graph& graph, onnx::NodeProto& proto, ReadContext& context);
void read_value_info(graph::Value& value, onnx::ValueInfoProto& proto, ReadContext& context);
/// The graph is read as it is: see finish_graph().
graph::Graph read_graph(onnx::GraphProto& proto, ReadContext& context);
graph::Function read_function(onnx::FunctionProto& proto, ReadContext& context);

/// Marks captured values, sorts and checks a graph and its subgraphs. Names that are neither defined in a graph nor in
/// one around it are an Error.
void finish_graph(graph::Graph& graph);

}  // namespace coppice::formats::onnx_detail
