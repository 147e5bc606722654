#include <cstring>
#include <vector>

#include "formats/onnx_support.hpp"

namespace coppice::formats {
namespace {

using tensor::DType;
using tensor::Tensor;

template <class T>
std::string raw(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// x (2x2) + w, with w sparse.
onnx::ModelProto sparse_model(const std::vector<float>& values, const std::vector<std::int64_t>& indices,
                              const std::vector<std::int64_t>& index_dims,
                              const std::vector<std::int64_t>& dims = {2, 2}) {
  onnx::ModelProto out = empty_model();
  auto& sparse = *out.mutable_graph()->add_sparse_initializer();
  *sparse.mutable_values() = raw_tensor(1, {static_cast<std::int64_t>(values.size())}, raw(values));
  sparse.mutable_values()->set_name("w");
  *sparse.mutable_indices() = raw_tensor(onnx::TensorProto::INT64, index_dims, raw(indices));
  for (const std::int64_t extent : dims) sparse.add_dims(extent);
  add_node(*out.mutable_graph(), "Add", {"x", "w"}, {"y"});
  return out;
}

std::vector<float> floats(const Tensor& tensor) {
  const auto numbers = tensor.as<float>();
  return {numbers.begin(), numbers.end()};
}

Tensor tensor_of(const std::vector<float>& numbers, tensor::Shape shape) {
  return Tensor::of<float>(DType::float32, std::move(shape), numbers);
}

TEST(OnnxSparse, BothLayoutsOfIndicesBecomeTheSameDenseTensor) {
  for (const onnx::ModelProto& m : {sparse_model({5, 7}, {1, 2}, {2}), sparse_model({5, 7}, {0, 1, 1, 0}, {2, 2})}) {
    const graph::Model model = read(m);
    ASSERT_EQ(model.graph.initializers.size(), 1u);
    const graph::Initializer& w = model.graph.initializers[0];
    EXPECT_EQ(w.tensor.shape, (tensor::Shape{2, 2}));
    EXPECT_EQ(floats(w.tensor), (std::vector<float>{0, 5, 7, 0}));
    const onnx::ModelProto again = written(model);
    EXPECT_EQ(again.graph().sparse_initializer_size(), 0);
    ASSERT_EQ(again.graph().initializer_size(), 1);
    EXPECT_EQ(again.graph().initializer(0).name(), "w");
    EXPECT_EQ(again.graph().initializer(0).raw_data(), raw<float>({0, 5, 7, 0}));
    EXPECT_EQ(again.ir_version(), 8);
  }
}

TEST(OnnxSparse, TypedFieldsAndNoValuesAtAll) {
  onnx::ModelProto m = sparse_model({}, {}, {0});
  m.mutable_graph()->mutable_sparse_initializer(0)->clear_indices();
  EXPECT_EQ(floats(read(m).graph.initializers[0].tensor), std::vector<float>(4));
  m = sparse_model({5}, {3}, {1});
  auto& sparse = *m.mutable_graph()->mutable_sparse_initializer(0);
  sparse.mutable_values()->clear_raw_data();
  sparse.mutable_values()->add_float_data(5);
  sparse.mutable_indices()->clear_raw_data();
  sparse.mutable_indices()->add_int64_data(3);
  EXPECT_EQ(floats(read(m).graph.initializers[0].tensor), (std::vector<float>{0, 0, 0, 5}));
}

TEST(OnnxSparse, WhatCannotBeMadeDenseIsCarried) {
  onnx::ModelProto m = sparse_model({5}, {3}, {1});
  auto& values = *m.mutable_graph()->mutable_sparse_initializer(0)->mutable_values();
  values.set_data_type(onnx::TensorProto::STRING);
  values.clear_raw_data();
  values.add_string_data("text");
  const onnx::ModelProto again = written(read(m));
  EXPECT_EQ(again.graph().initializer_size(), 0);
  EXPECT_EQ(again.graph().sparse_initializer(0).SerializeAsString(),
            m.graph().sparse_initializer(0).SerializeAsString());
}

TEST(OnnxSparse, RefusesWhatTheFormatForbids) {
  const auto says = [](const onnx::ModelProto& m, const std::string& wanted) {
    EXPECT_NE(read_error(m).find(wanted), std::string::npos) << read_error(m);
    EXPECT_EQ(read_error(m).find("m.onnx: "), 0u);
  };
  says(sparse_model({5, 7}, {2, 1}, {2}), "sparse initializer \"w\": expected indices that ascend, found 1 behind 2");
  says(sparse_model({5, 7}, {1, 1}, {2}), "expected indices that ascend, found 1 behind 1");
  says(sparse_model({5, 7}, {1, 0, 0, 1}, {2, 2}), "expected indices that ascend, found 1 behind 2");
  says(sparse_model({5}, {4}, {1}), "expected indices from 0 to below 4, found 4");
  says(sparse_model({5}, {-1}, {1}), "expected indices from 0 to below 4, found -1");
  says(sparse_model({5}, {INT64_MAX}, {1}), "expected indices from 0 to below 4");
  says(sparse_model({5}, {0, 2}, {1, 2}), "expected indices within 2x2, found 0,2");
  says(sparse_model({5}, {INT64_MIN, 0}, {1, 2}), "expected indices within 2x2");
  says(sparse_model({5, 7}, {1}, {1}), "expected indices int64 2 or 2x2, found int64 1");
  says(sparse_model({5}, {1, 0, 0}, {1, 3}), "expected indices int64 1 or 1x2, found int64 1x3");
  says(sparse_model({5}, {1}, {2}), "expected 16 bytes for int64 2, found 8");
  says(sparse_model({5}, {1}, {1}, {}), "expected sizes of 0 or more whose product can be counted, found scalar");
  says(sparse_model({5}, {1}, {1}, {-2, -2}), "expected sizes of 0 or more");
  says(sparse_model({5}, {1}, {1}, {INT64_MAX, 3}), "whose product can be counted");
  says(sparse_model({5}, {0}, {1}, {0, 2}), "expected indices from 0 to below 0, found 0");
  onnx::ModelProto m = sparse_model({5}, {1}, {1});
  m.mutable_graph()->mutable_sparse_initializer(0)->clear_indices();
  says(m, "expected indices of 1 values, found none");
  m = sparse_model({5}, {1}, {1});
  m.mutable_graph()->mutable_sparse_initializer(0)->mutable_indices()->set_data_type(onnx::TensorProto::UINT64);
  says(m, "found uint64 1");
  m = sparse_model({5}, {1}, {1});
  m.mutable_graph()->mutable_sparse_initializer(0)->mutable_values()->clear_name();
  says(m, "a sparse initializer without a name");
  m = sparse_model({5}, {1}, {1});
  *m.mutable_graph()->add_sparse_initializer() = m.graph().sparse_initializer(0);
  says(m, "\"w\" is defined twice");
  m = sparse_model({5}, {1}, {1});
  m.mutable_graph()->mutable_sparse_initializer(0)->mutable_values()->add_dims(1);
  says(m, "expected a list of values, found 1x1");
}

// A few bytes must not become memory without end: neither at once nor one after the other.
TEST(OnnxSparse, TheDenseFormHasALimit) {
  const std::string wanted = "more bytes when dense";
  EXPECT_NE(read_error(sparse_model({5}, {1}, {1}, {1 << 20, 1 << 20})).find(wanted), std::string::npos);
  onnx::ModelProto m = sparse_model({5}, {1}, {1}, {1 << 13, 1 << 13});  // 256 MiB each
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(read_error(m), "no error");
    auto& next = *m.mutable_graph()->add_sparse_initializer() = m.graph().sparse_initializer(0);
    next.mutable_values()->set_name("w" + std::to_string(i));
  }
  EXPECT_NE(read_error(m).find(wanted), std::string::npos);
}

/// A model with the initializers w0, w1... that all go into one Sum.
graph::Model model_of(const std::vector<Tensor>& weights) {
  onnx::ModelProto empty = empty_model();
  add_node(*empty.mutable_graph(), "Sum", {"x"}, {"y"});
  graph::Model model = read(empty);
  for (std::size_t i = 0; i < weights.size(); ++i)
    model.graph.nodes[0].inputs.push_back(model.graph.add_initializer("w" + std::to_string(i), weights[i]));
  model.graph.reindex();
  return model;
}

Tensor of_bits(DType dtype, tensor::Shape shape, const std::string& bytes) {
  return {dtype, std::move(shape), bytes_of(bytes), nullptr};
}

onnx::ModelProto sparsely(const graph::Model& model) {
  onnx::ModelProto out;
  EXPECT_TRUE(out.ParseFromString(write_onnx_bytes(model, Encoding::sparse_initializer)));
  return out;
}

TEST(OnnxSparse, WritesCoordinatesOfWhatHasABitSet) {
  std::vector<float> numbers(40);
  numbers[3] = 2;
  numbers[17] = -0.0f;
  numbers[39] = std::numeric_limits<float>::quiet_NaN();
  const onnx::ModelProto m = sparsely(model_of({tensor_of(numbers, {5, 8})}));
  EXPECT_EQ(m.graph().initializer_size(), 0);
  ASSERT_EQ(m.graph().sparse_initializer_size(), 1);
  const onnx::SparseTensorProto& sparse = m.graph().sparse_initializer(0);
  EXPECT_EQ(sparse.values().name(), "w0");
  EXPECT_EQ(sparse.values().data_type(), 1);
  EXPECT_EQ(sparse.values().raw_data(), raw<float>({2, -0.0f, numbers[39]}));
  EXPECT_EQ(std::vector<std::int64_t>(sparse.values().dims().begin(), sparse.values().dims().end()),
            std::vector<std::int64_t>{3});
  EXPECT_EQ(sparse.indices().data_type(), onnx::TensorProto::INT64);
  EXPECT_EQ(sparse.indices().raw_data(), raw<std::int64_t>({3, 17, 39}));
  EXPECT_EQ(std::vector<std::int64_t>(sparse.dims().begin(), sparse.dims().end()), (std::vector<std::int64_t>{5, 8}));
  const graph::Model again = read(m);
  EXPECT_EQ(std::memcmp(again.graph.initializers[0].tensor.bytes.data(), numbers.data(), 160), 0);
}

// 1000 numbers are 4000 bytes; each that is stored takes 12 (fp16: 2000, 10; fp64: 8000, 16).
TEST(OnnxSparse, OnlyWhereItIsSmaller) {
  const auto is_sparse = [](DType dtype, std::size_t filled) {
    std::vector<double> numbers(1000);
    for (std::size_t i = 0; i < filled; ++i) numbers[i] = 1;
    const Tensor tensor = tensor::from_doubles(dtype, {10, 100}, numbers);
    const graph::Model model = model_of({tensor});
    const bool sparse = sparsely(model).graph().sparse_initializer_size() == 1;
    EXPECT_EQ(sparse, smaller_sparse(tensor));
    const std::size_t small = write_onnx_bytes(model, Encoding::sparse_initializer).size();
    EXPECT_EQ(small, onnx_bytes(model, "m.onnx", {.encoding = Encoding::sparse_initializer}));
    const std::size_t large = write_onnx_bytes(model).size();
    EXPECT_TRUE(sparse ? small < large : small == large) << small << " of " << large;
    return sparse;
  };
  EXPECT_TRUE(is_sparse(DType::float32, 327));
  EXPECT_FALSE(is_sparse(DType::float32, 328));
  EXPECT_TRUE(is_sparse(DType::float16, 193));
  EXPECT_FALSE(is_sparse(DType::float16, 194));
  EXPECT_TRUE(is_sparse(DType::bfloat16, 0));
  EXPECT_TRUE(is_sparse(DType::float64, 495));
  EXPECT_FALSE(is_sparse(DType::float64, 496));
  EXPECT_FALSE(is_sparse(DType::int64, 0));  // shapes and indices are no weights
  EXPECT_FALSE(smaller_sparse(tensor_of({0}, {})));
  EXPECT_FALSE(smaller_sparse(tensor_of({}, {0, 7})));
}

TEST(OnnxSparse, AnOlderModelIsRaised) {
  graph::Model model = model_of({tensor_of(std::vector<float>(100), {100})});
  model.graph.inputs.push_back(model.graph.find("w0"));
  model.graph.reindex();
  for (const auto& [version, becomes, inputs] : {std::array<int, 3>{3, 6, 1}, {4, 6, 2}, {6, 6, 2}, {9, 9, 2}}) {
    model.ir_version = version;
    const onnx::ModelProto m = sparsely(model);
    EXPECT_EQ(m.ir_version(), becomes);
    EXPECT_EQ(m.graph().input_size(), inputs);
    EXPECT_EQ(m.graph().input(0).name(), "x");
    EXPECT_EQ(written(model).ir_version(), version);
    EXPECT_EQ(written(model).graph().input_size(), 2);
  }
  // Without anything to store so, nothing changes.
  graph::Model dense = model_of({tensor_of({1, 2}, {2})});
  dense.ir_version = 3;
  EXPECT_EQ(sparsely(dense).SerializeAsString(), written(dense).SerializeAsString());
}

TEST(OnnxSparse, EveryTypeAndOddSizeComesBack) {
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
    for (const std::int64_t size : {0, 1, 63, 64, 65, 1000, 70001}) {
      std::string bytes(tensor::byte_size(dtype, size), '\0');
      for (std::size_t i = 0; i < bytes.size(); i += 97) bytes[i] = static_cast<char>(0x80 + i % 100);
      const graph::Model model = model_of({of_bits(dtype, {size}, bytes), of_bits(dtype, {1, size, 1}, bytes)});
      const graph::Model again = read(sparsely(model));
      ASSERT_EQ(again.graph.initializers.size(), 2u);
      for (const graph::Initializer& one : again.graph.initializers) {
        ASSERT_EQ(one.tensor.bytes.size(), bytes.size());
        EXPECT_TRUE(bytes.empty() || std::memcmp(one.tensor.bytes.data(), bytes.data(), bytes.size()) == 0);
      }
      EXPECT_EQ(write_onnx_bytes(again), write_onnx_bytes(model)) << name(dtype) << " " << size;
    }
  }
}

}  // namespace
}  // namespace coppice::formats
