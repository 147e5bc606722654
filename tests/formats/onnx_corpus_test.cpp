#include <filesystem>
#include <fstream>
#include <iterator>

#include <google/protobuf/util/message_differencer.h>

#include "onnx_support.hpp"

/// ONNX's own test models (Debian's libonnx-testdata), read and written, against what protobuf makes of them.
namespace coppice::formats {
namespace {
namespace fs = std::filesystem;
using google::protobuf::util::MessageDifferencer;

const fs::path data_folder = "/usr/share/libonnx-testdata/data";

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Numbers move from typed fields to raw_data, which the tests of tensors cover; everything else must stay.
void ignore_data_fields(MessageDifferencer& differencer) {
  for (const char* field : {"raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"})
    differencer.IgnoreField(onnx::TensorProto::descriptor()->FindFieldByName(field));
}

/// The graph IR gives the short forms of Constant (value_int...) the long one (value).
void lengthen_constants(onnx::GraphProto& graph) {
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    if (node.op_type() != "Constant" || node.attribute_size() != 1) continue;
    onnx::AttributeProto& attribute = *node.mutable_attribute(0);
    const bool whole = attribute.name().starts_with("value_int");
    if (!whole && !attribute.name().starts_with("value_float")) continue;
    attribute.mutable_t()->set_data_type(whole ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT);
    if (attribute.name().ends_with('s'))
      attribute.mutable_t()->add_dims(attribute.ints_size() + attribute.floats_size());
    for (const char* field : {"i", "f", "ints", "floats"})
      attribute.GetReflection()->ClearField(&attribute, attribute.GetDescriptor()->FindFieldByName(field));
    attribute.set_name("value");
    attribute.set_type(onnx::AttributeProto::TENSOR);
  }
}

TEST(OnnxCorpus, SurvivesReadingAndWriting) {
  if (!fs::exists(data_folder)) GTEST_SKIP() << "libonnx-testdata is not installed";
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data_folder)) {
    if (entry.path().extension() != ".onnx") continue;
    ++count;
    onnx::ModelProto before, after;
    ASSERT_TRUE(before.ParseFromString(slurp(entry.path())));
    const std::string file = write_onnx_bytes(read_onnx(entry.path().string()));
    ASSERT_TRUE(after.ParseFromString(file));
    lengthen_constants(*before.mutable_graph());
    MessageDifferencer differencer;
    std::string differences;
    differencer.ReportDifferencesToString(&differences);
    differencer.set_message_field_comparison(MessageDifferencer::EQUIVALENT);
    ignore_data_fields(differencer);
    EXPECT_TRUE(differencer.Compare(before, after)) << entry.path() << ": " << differences;
    EXPECT_EQ(write_onnx_bytes(read_onnx(bytes_of(file), "again")), file) << entry.path();
  }
  EXPECT_GT(count, 500u);
}

}  // namespace
}  // namespace coppice::formats
