#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_regex_match(InferContext& c) {
  expect_inputs(c, 1);
  c.out(0, {DType::boolean, c.in(0).ranked, c.in(0).shape, nullptr});
}

void infer_string_concat(InferContext& c) {
  expect_inputs(c, 2);
  if (auto shape = broadcast_inputs(c, 0, 2))
    c.out(0, Fact::of(DType::string, std::move(*shape)));
  else
    out_type(c, 0, DType::string);
}

// Pieces stand on a new last axis, as many as the longest text has.
void infer_string_split(InferContext& c) {
  expect_inputs(c, 1);
  const Fact& x = c.in(0);
  c.out(1, {DType::int64, x.ranked, x.shape, nullptr});
  if (!x.ranked) return out_type(c, 0, DType::string);
  Shape pieces = x.shape;
  pieces.push_back(unknown);
  c.out(0, Fact::of(DType::string, std::move(pieces)));
}

// Stop words are removed: (C) and (1, C) shrink.
void infer_string_normalizer(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 1, 2);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, DType::string);
  Shape out = x.shape;
  if (c.node().has("stopwords")) out.back() = unknown;
  c.out(0, Fact::of(DType::string, std::move(out)));
}

void infer_tf_idf(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 1, 2);
  const Fact& x = c.in(0);
  const auto indexes = c.node().ints("ngram_indexes");
  if (indexes.empty()) fail("ngram_indexes: expected at least one number");
  const std::int64_t last = *std::max_element(indexes.begin(), indexes.end());
  if (!x.ranked || last < 0) return out_type(c, 0, DType::float32);
  Shape out = x.shape;
  out.back() = dim_add(last, 1);
  c.out(0, Fact::of(DType::float32, std::move(out)));
}

}  // namespace

void add_text_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "RegexFullMatch", infer_regex_match});
  defs.push_back({"", "StringConcat", infer_string_concat});
  defs.push_back({"", "StringNormalizer", infer_string_normalizer});
  defs.push_back({"", "StringSplit", infer_string_split});
  defs.push_back({"", "TfIdfVectorizer", infer_tf_idf});
}

}  // namespace coppice::graph::ops
