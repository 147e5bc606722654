#pragma once
#include <string>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/onnx/proto.hpp"

/// What the tests of the ONNX reader and writer share. The models under test are built and read with protobuf's own
/// classes, not with the code under test.
namespace coppice::formats {

inline tensor::Bytes bytes_of(const std::string& text) {
  return tensor::Bytes::copy(std::as_bytes(std::span(text)));
}

inline graph::Model read(const onnx::ModelProto& proto) {
  return read_onnx(bytes_of(proto.SerializeAsString()), "m.onnx");
}

inline onnx::ModelProto written(const graph::Model& model) {
  onnx::ModelProto out;
  EXPECT_TRUE(out.ParseFromString(write_onnx_bytes(model)));
  return out;
}

/// The message of the Error that `work` throws; "no error" without one.
template <class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "no error";
}

inline std::string read_error(const onnx::ModelProto& proto) {
  return error_of([&] { read(proto); });
}
inline std::string read_error(const std::string& bytes) {
  return error_of([&] { read_onnx(bytes_of(bytes), "m.onnx"); });
}

inline void set_tensor_type(onnx::ValueInfoProto& info, const std::string& name, int type,
                            const std::vector<std::int64_t>& shape) {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (std::int64_t extent : shape) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

inline onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(op);
  for (const std::string& name : inputs) node.add_input(name);
  for (const std::string& name : outputs) node.add_output(name);
  return node;
}

/// An input "x" and an output "y", both float32 2x2; nodes and initializers are up to the caller.
inline onnx::ModelProto empty_model() {
  onnx::ModelProto out;
  out.set_ir_version(8);
  out.add_opset_import()->set_version(17);
  out.mutable_graph()->set_name("g");
  set_tensor_type(*out.mutable_graph()->add_input(), "x", 1, {2, 2});
  set_tensor_type(*out.mutable_graph()->add_output(), "y", 1, {2, 2});
  return out;
}

/// y = Add(x, w), with the initializer w.
inline onnx::ModelProto add_model(const onnx::TensorProto& w) {
  onnx::ModelProto out = empty_model();
  *out.mutable_graph()->add_initializer() = w;
  out.mutable_graph()->mutable_initializer(0)->set_name("w");
  add_node(*out.mutable_graph(), "Add", {"x", "w"}, {"y"});
  return out;
}

inline onnx::TensorProto raw_tensor(int type, const std::vector<std::int64_t>& dims, const std::string& raw) {
  onnx::TensorProto out;
  out.set_data_type(type);
  for (std::int64_t extent : dims) out.add_dims(extent);
  out.set_raw_data(raw);
  return out;
}

}  // namespace coppice::formats
