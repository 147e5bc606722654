#include "onnx_support.hpp"

namespace coppice::formats {
namespace {

NamedTensor read_pb(const std::string& file) {
  return read_tensor_proto(bytes_of(file), "t.pb");
}

onnx::TensorProto two_floats() {
  onnx::TensorProto proto;
  proto.set_name("x");
  proto.set_data_type(onnx::TensorProto::FLOAT);
  proto.add_dims(2);
  proto.add_float_data(1.5f);
  proto.add_float_data(-2);
  return proto;
}

TEST(TensorProto, IsReadFromTypedAndRawData) {
  onnx::TensorProto raw = two_floats();
  raw.clear_float_data();
  raw.set_raw_data(std::string("\0\0\xc0\x3f\0\0\0\xc0", 8));
  for (const onnx::TensorProto& proto : {two_floats(), raw}) {
    const NamedTensor found = read_pb(proto.SerializeAsString());
    EXPECT_EQ(found.name, "x");
    EXPECT_EQ(found.tensor.dtype, tensor::DType::float32);
    EXPECT_EQ(found.tensor.shape, tensor::Shape{2});
    EXPECT_EQ(element_as_double(found.tensor, 0), 1.5);
    EXPECT_EQ(element_as_double(found.tensor, 1), -2);
  }
}

std::string refusal(const std::string& file) {
  return error_of([&] { read_pb(file); });
}

TEST(TensorProto, RefusesWhatIsNone) {
  EXPECT_EQ(refusal(""), "t.pb: expected an ONNX tensor: tensor \"\": expected an element type, found none");
  const std::string whole = two_floats().SerializeAsString();
  EXPECT_NE(refusal(whole.substr(0, whole.size() - 1)).find("t.pb: expected an ONNX tensor: "), std::string::npos);
  onnx::TensorProto longer = two_floats();
  longer.set_dims(0, 3);
  EXPECT_EQ(refusal(longer.SerializeAsString()),
            "t.pb: expected an ONNX tensor: tensor \"x\": expected 12 bytes for float32 3, found 8");
  onnx::TensorProto huge = two_floats();
  huge.set_dims(0, std::int64_t{1} << 62);
  EXPECT_NE(refusal(huge.SerializeAsString()).find("is too large"), std::string::npos);
  onnx::TensorProto outside = two_floats();
  outside.clear_float_data();
  outside.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = outside.add_external_data();
  entry->set_key("location");
  entry->set_value("x.bin");
  EXPECT_NE(refusal(outside.SerializeAsString()), "no error");
}

}  // namespace
}  // namespace coppice::formats
