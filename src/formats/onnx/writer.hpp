#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/graph/model.hpp"

#include "formats/onnx/proto.hpp"
#include "formats/onnx/side_writer.hpp"
#include "formats/onnx/skeleton.hpp"

/// Conversion of the graph IR to a skeleton. Each function starts from the element's `extra` and adds what the IR
/// models.
namespace coppice::formats::onnx_detail {

struct WriteContext {
  Blobs blobs;
  SidePlan* side = nullptr;             ///< Null: everything goes inside.
  Encoding encoding = Encoding::dense;  ///< Of the next graph that is written, without its subgraphs.
};

/// Parses an `extra` string, with its blobs moved to the table, and `younger` (fields in wire format) into `proto`.
template <class Proto>
void merge_extra(Proto& proto, const std::string& extra, Kind kind, WriteContext& context,
                 const std::string& younger = {}) {
  if (extra.empty() && younger.empty()) return;
  const auto bytes = tensor::Bytes::copy(std::as_bytes(std::span(extra)));
  if (!parse_message(lift_blobs(bytes, kind, context.blobs) + younger, proto))
    throw Error("an opaque part of the model is not in ONNX's format");
}

/// `to_side` sends the bytes to the side file, which the context must have.
void write_tensor(const tensor::Tensor& tensor, bool to_side, onnx::TensorProto& proto, WriteContext& context);
/// The tensor's filled elements, of which there are so many; the name is up to the caller. The bytes are made when
/// they are written.
void write_sparse_tensor(const tensor::Tensor& tensor, std::int64_t filled, onnx::SparseTensorProto& proto,
                         WriteContext& context);
/// How many elements smaller_sparse() found filled; nothing where dense is not larger.
std::optional<std::int64_t> filled_when_smaller(const tensor::Tensor& tensor);
void write_attribute(const graph::Attribute& attribute, onnx::AttributeProto& proto, WriteContext& context);
void write_node(const graph::Graph& graph, const graph::Node& node, onnx::NodeProto& proto, WriteContext& context);
void write_graph(const graph::Graph& graph, onnx::GraphProto& proto, WriteContext& context);
void write_function(const graph::Function& function, onnx::FunctionProto& proto, WriteContext& context);

}  // namespace coppice::formats::onnx_detail
