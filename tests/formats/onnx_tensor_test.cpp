#include <cstring>

#include "onnx_support.hpp"

namespace coppice::formats {
namespace {
using onnx::TensorProto;
using tensor::DType;

const graph::Tensor& tensor_w(const graph::Model& model) {
  return *model.graph.constant(model.graph.find("w"));
}

template <class T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  return out;
}

TensorProto header(int type, const std::vector<std::int64_t>& dims) {
  TensorProto out = raw_tensor(type, dims, "");
  out.clear_raw_data();
  return out;
}

struct Typed {
  DType dtype;
  TensorProto proto;
  std::string expected;
};

// Two elements in the typed field that onnx.proto gives to each element type.
std::vector<Typed> typed_tensors() {
  std::vector<Typed> out;
  const auto add = [&](DType dtype, auto fill, std::string expected) {
    TensorProto proto = header(static_cast<int>(dtype), {2});
    fill(proto);
    out.push_back({dtype, proto, std::move(expected)});
  };
  const auto ints = [](int a, int b) {
    return [=](TensorProto& t) {
      t.add_int32_data(a);
      t.add_int32_data(b);
    };
  };
  const auto unsigneds = [](TensorProto& t) {
    t.add_uint64_data(7);
    t.add_uint64_data(4000000000u);
  };
  add(
      DType::float32, [](TensorProto& t) { t.add_float_data(1.5f), t.add_float_data(-2.f); }, raw<float>({1.5f, -2.f}));
  add(
      DType::float64, [](TensorProto& t) { t.add_double_data(1.5), t.add_double_data(-2); }, raw<double>({1.5, -2.0}));
  add(
      DType::int64, [](TensorProto& t) { t.add_int64_data(-1), t.add_int64_data(std::int64_t{1} << 40); },
      raw<std::int64_t>({-1, std::int64_t{1} << 40}));
  add(DType::uint64, unsigneds, raw<std::uint64_t>({7, 4000000000u}));
  add(DType::uint32, unsigneds, raw<std::uint32_t>({7, 4000000000u}));
  add(DType::int32, ints(-5, 70000), raw<std::int32_t>({-5, 70000}));
  add(DType::int16, ints(-5, 300), raw<std::int16_t>({-5, 300}));
  add(DType::uint16, ints(5, 60000), raw<std::uint16_t>({5, 60000}));
  add(DType::float16, ints(0x3c00, 0xc000), raw<std::uint16_t>({0x3c00, 0xc000}));
  add(DType::bfloat16, ints(0x3f80, 0xc000), raw<std::uint16_t>({0x3f80, 0xc000}));
  add(DType::int8, ints(-5, 100), raw<std::int8_t>({-5, 100}));
  add(DType::uint8, ints(5, 200), raw<std::uint8_t>({5, 200}));
  add(DType::boolean, ints(1, 0), raw<std::uint8_t>({1, 0}));
  for (DType dtype : {DType::float8e4m3fn, DType::float8e4m3fnuz, DType::float8e5m2, DType::float8e5m2fnuz})
    add(dtype, ints(0x38, 0xb8), raw<std::uint8_t>({0x38, 0xb8}));
  for (DType dtype : {DType::uint4, DType::int4, DType::float4e2m1})
    add(
        dtype, [](TensorProto& t) { t.add_int32_data(0x2f); }, raw<std::uint8_t>({0x2f}));
  add(
      DType::complex64,
      [](TensorProto& t) {
        for (float f : {1.f, 2.f, 3.f, 4.f}) t.add_float_data(f);
      },
      raw<float>({1.f, 2.f, 3.f, 4.f}));
  add(
      DType::complex128,
      [](TensorProto& t) {
        for (double f : {1., 2., 3., 4.}) t.add_double_data(f);
      },
      raw<double>({1., 2., 3., 4.}));
  return out;
}

TEST(OnnxTensor, NumbersInTypedFieldsBecomeRawBytes) {
  for (const Typed& typed : typed_tensors()) {
    const graph::Model model = read(add_model(typed.proto));
    const graph::Tensor& w = tensor_w(model);
    EXPECT_EQ(w.dtype, typed.dtype);
    EXPECT_EQ(w.shape, graph::Shape{2});
    ASSERT_EQ(w.bytes.size(), typed.expected.size()) << name(typed.dtype);
    EXPECT_EQ(std::memcmp(w.bytes.data(), typed.expected.data(), typed.expected.size()), 0) << name(typed.dtype);
    const TensorProto again = written(model).graph().initializer(0);
    EXPECT_EQ(again.raw_data(), typed.expected);
    EXPECT_EQ(again.data_type(), static_cast<int>(typed.dtype));
    EXPECT_EQ(again.ByteSizeLong(), raw_tensor(1, {2}, typed.expected).ByteSizeLong() + 3) << "and nothing else";
  }
}

TEST(OnnxTensor, EveryTypeWithABitWidthIsCovered) {
  std::size_t known = 0;
  for (int i = 0; i < 64; ++i) known += bit_width(static_cast<DType>(i)) > 0;
  EXPECT_EQ(typed_tensors().size(), known);
}

TEST(OnnxTensor, RawBytesAreTakenAsTheyAre) {
  const graph::Model model = read(add_model(raw_tensor(TensorProto::FLOAT, {2}, raw<float>({3.f, 4.f}))));
  EXPECT_EQ(tensor::element_as_double(tensor_w(model), 1), 4.0);
}

TEST(OnnxTensor, StringsStayStrings) {
  TensorProto w = header(TensorProto::STRING, {2});
  w.add_string_data("a");
  w.add_string_data(std::string("\0b", 2));
  const graph::Model model = read(add_model(w));
  EXPECT_EQ(*tensor_w(model).strings, (std::vector<std::string>{"a", std::string("\0b", 2)}));
  const TensorProto again = written(model).graph().initializer(0);
  EXPECT_FALSE(again.has_raw_data());
  EXPECT_EQ(again.string_data(1), std::string("\0b", 2));
}

TEST(OnnxTensor, TypesOfTheFutureAreCarriedAlong) {
  const graph::Model raw_one = read(add_model(raw_tensor(77, {3}, "abc")));
  EXPECT_EQ(written(raw_one).graph().initializer(0).raw_data(), "abc");
  TensorProto typed = header(77, {3});
  typed.add_int32_data(5);
  const TensorProto again = written(read(add_model(typed))).graph().initializer(0);
  EXPECT_EQ(again.int32_data(0), 5);
  EXPECT_FALSE(again.has_raw_data());
  EXPECT_EQ(again.data_type(), 77);
}

TEST(OnnxTensor, EmptyTensorsAndScalars) {
  EXPECT_EQ(tensor_w(read(add_model(header(TensorProto::FLOAT, {0, 5})))).shape, (graph::Shape{0, 5}));
  TensorProto scalar = header(TensorProto::INT64, {});
  scalar.add_int64_data(9);
  EXPECT_EQ(tensor::element_as_int(tensor_w(read(add_model(scalar))), 0), 9);
}

TEST(OnnxTensor, RefusesContradictions) {
  const auto expect = [](const TensorProto& w, const std::string& problem) {
    EXPECT_EQ(read_error(add_model(w)), "m.onnx: initializer \"w\": " + problem);
  };
  expect(raw_tensor(TensorProto::FLOAT, {32, 32}, std::string(4000, 'a')),
         "expected 4096 bytes for float32 32x32, found 4000");
  expect(raw_tensor(22, {3}, "abc"), "expected 2 bytes for int4 3, found 3");
  expect(raw_tensor(TensorProto::FLOAT, {-1}, ""), "expected sizes of 0 or more, found -1");
  expect(raw_tensor(TensorProto::FLOAT, {1 << 30, 1 << 30, 1 << 30}, ""),
         "shape 1073741824x1073741824x1073741824 is too large");
  expect(raw_tensor(TensorProto::FLOAT, {std::int64_t{1} << 62}, ""), "shape 4611686018427387904 is too large");
  expect(raw_tensor(0, {2}, "abcdefgh"), "expected an element type, found none");
  // No allocation follows from the shape alone.
  expect(header(TensorProto::FLOAT, {1000000000, 1000}),
         "expected 4000000000000 bytes for float32 1000000000x1000, found 0");

  TensorProto twice = raw_tensor(TensorProto::FLOAT, {1}, "abcd");
  twice.add_float_data(1);
  expect(twice, "has both raw data and numbers in a typed field");
  TensorProto two_fields = header(TensorProto::FLOAT, {1});
  two_fields.add_float_data(1);
  two_fields.add_int64_data(1);
  expect(two_fields, "has numbers in more than one typed field");
  TensorProto wrong_field = header(TensorProto::FLOAT, {1});
  wrong_field.add_int64_data(1);
  expect(wrong_field, "the numbers are not in the field that belongs to float32");
  TensorProto strings = header(TensorProto::FLOAT, {1});
  strings.add_string_data("a");
  expect(strings, "expected float32, found strings");
  expect(raw_tensor(TensorProto::STRING, {1}, "a"), "expected strings, found raw data or numbers");
  TensorProto few = header(TensorProto::STRING, {3});
  few.add_string_data("a");
  expect(few, "expected 3 strings, found 1");
  TensorProto segment = raw_tensor(TensorProto::FLOAT, {1}, "abcd");
  segment.mutable_segment()->set_begin(0);
  expect(segment, "tensors in segments are not supported");
}

}  // namespace
}  // namespace coppice::formats
