#include "formats/npy/header.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "coppice/base/error.hpp"

namespace coppice::formats::npy_detail {
namespace {

using tensor::DType;

constexpr std::size_t most_dimensions = 64;  // NumPy 2's own limit

struct Code {
  std::string_view text;
  DType dtype;
};
constexpr std::array<Code, 14> codes{{{"b1", DType::boolean},
                                      {"i1", DType::int8},
                                      {"i2", DType::int16},
                                      {"i4", DType::int32},
                                      {"i8", DType::int64},
                                      {"u1", DType::uint8},
                                      {"u2", DType::uint16},
                                      {"u4", DType::uint32},
                                      {"u8", DType::uint64},
                                      {"f2", DType::float16},
                                      {"f4", DType::float32},
                                      {"f8", DType::float64},
                                      {"c8", DType::complex64},
                                      {"c16", DType::complex128}}};

DType dtype_of(std::string_view descr) {
  const std::string shown = "\"" + std::string(descr.substr(0, 40)) + "\"";
  const std::string_view code = descr.substr(std::min<std::size_t>(1, descr.size()));
  const auto* known = std::find_if(codes.begin(), codes.end(), [&](const Code& c) { return c.text == code; });
  if (known == codes.end())
    throw Error("expected numbers or booleans, such as \"<f4\", found the element type " + shown);
  const bool single = tensor::bit_width(known->dtype) == 8;
  if (descr[0] == '<' || descr[0] == '=' || (single && (descr[0] == '|' || descr[0] == '>'))) return known->dtype;
  throw Error("expected little-endian numbers, such as \"<f4\", found the element type " + shown);
}

/// Goes through the literal from left to right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Header run() {
    Header out;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!take('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !descr) {
        descr = true;
        if (next() == '[') throw Error("structured arrays are not supported");
        out.dtype = dtype_of(string());
      } else if (key == "fortran_order" && !order) {
        order = true;
        out.fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = true;
        out.shape = tuple();
      } else {
        throw Error("header: expected descr, fortran_order and shape once each, found \"" +
                    std::string(key.substr(0, 40)) + "\"");
      }
      if (!take(',') && next() != '}') fail("',' or '}'");
    }
    skip();
    if (at_ != text_.size()) fail("the end");
    if (!descr || !order || !shape) throw Error("header: expected descr, fortran_order and shape, one is missing");
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    throw Error("header: expected " + expected + " at byte " + std::to_string(at_) + ", found \"" +
                std::string(text_.substr(at_, 20)) + "\"");
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  char next() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (next() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("'") + c + "'");
  }
  std::string_view string() {
    const char quote = next();
    if (quote != '\'' && quote != '"') fail("a string");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail("a string that ends");
    const std::string_view out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return out;
  }
  bool boolean() {
    skip();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    fail("True or False");
  }
  tensor::Shape tuple() {
    tensor::Shape out;
    expect('(');
    while (!take(')')) {
      skip();
      std::int64_t extent = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (error != std::errc() || extent < 0) fail("an extent");
      at_ += static_cast<std::size_t>(end - begin);
      take('L');  // Python 2 wrote long integers so
      if (out.size() == most_dimensions) throw Error("header: expected at most 64 dimensions, found more");
      out.push_back(extent);
      if (!take(',') && next() != ')') fail("',' or ')'");
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Header parse_header(std::string_view text) {
  return Parser(text).run();
}

std::string header_text(const tensor::Tensor& tensor) {
  const DType dtype = tensor.dtype;
  const auto* code = std::find_if(codes.begin(), codes.end(), [&](const Code& c) { return c.dtype == dtype; });
  if (code == codes.end()) throw Error("expected a type that NumPy has, found " + std::string(tensor::name(dtype)));
  std::string out = "{'descr': '";
  out += tensor::bit_width(dtype) == 8 ? '|' : '<';
  out += std::string(code->text) + "', 'fortran_order': False, 'shape': (";
  for (std::int64_t extent : tensor.shape) out += std::to_string(extent) + ", ";
  if (tensor.shape.size() > 1) out.resize(out.size() - 2);
  if (tensor.shape.size() == 1) out.pop_back();
  return out + "), }";
}

}  // namespace coppice::formats::npy_detail
