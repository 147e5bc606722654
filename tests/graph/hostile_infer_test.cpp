#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

/// Files are hostile: whatever operands and attributes a node has, inference gives facts or throws Error. Sanitizer
/// builds find what overflows or reads out of bounds.
namespace coppice::graph {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t extents[] = {1, 2, 3, 4, 6, 8, 1, 2, 3, 4, 0, -1, 1LL << 31, 1LL << 62, most};
constexpr std::int64_t numbers[] = {0,  1,  2,  3,         4,    7,
                                    -1, -2, -7, 1LL << 33, most, std::numeric_limits<std::int64_t>::min()};
constexpr float scales[] = {0.0f, 0.5f, 1.0f, 2.0f, -1.0f, 1e30f, std::numeric_limits<float>::infinity()};
constexpr DType types[] = {DType::float32, DType::int64, DType::boolean, DType::uint8, DType::string, DType::int4};
constexpr std::int64_t opsets[] = {1, 6, 7, 9, 10, 11, 13, 17, 18, 20, 21, 23};

constexpr const char* list_attributes[] = {
    "axes",         "kernel_shape",    "pads",    "strides",        "dilations",
    "output_shape", "split",           "perm",    "output_padding", "starts",
    "ends",         "shape",           "repeats", "pooled_shape",   "ngram_indexes",
    "value_ints",   "qkv_hidden_sizes"};
constexpr const char* number_attributes[] = {"axis",
                                             "group",
                                             "keepdims",
                                             "blocksize",
                                             "num_groups",
                                             "block_size",
                                             "hidden_size",
                                             "layout",
                                             "to",
                                             "dtype",
                                             "output_height",
                                             "q_num_heads",
                                             "kv_num_heads",
                                             "onesided",
                                             "inverse",
                                             "ceil_mode",
                                             "batch_axis",
                                             "time_axis",
                                             "k",
                                             "allowzero",
                                             "start",
                                             "end",
                                             "num_outputs",
                                             "transA",
                                             "transB",
                                             "transBatchA",
                                             "channels_last",
                                             "sample_size",
                                             "batch_dims",
                                             "exclusive",
                                             "stash_type",
                                             "num_scan_inputs",
                                             "K",
                                             "N",
                                             "output_dtype"};
constexpr const char* text_attributes[] = {
    "auto_pad", "direction", "equation", "mode", "reduction", "keep_aspect_ratio_policy", "pixel_format"};
constexpr const char* texts[] = {
    "SAME_UPPER", "VALID", "bidirectional", "...ij,jk->...ik", "i,i", "none", "not_larger", "reflect", "->", ",,,",
    "",           "..."};

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return engine_() % n; }
  template <class T, std::size_t n>
  T pick(const T (&from)[n]) {
    return from[below(n)];
  }

 private:
  std::mt19937 engine_;
};

void add_operand(OneNode& node, Dice& dice) {
  const std::size_t kind = dice.below(8);
  if (kind == 0) {
    node.absent();
  } else if (kind == 1) {
    std::vector<std::int64_t> values(dice.below(5));
    for (auto& value : values) value = dice.pick(numbers);
    node.ints(std::move(values));
  } else if (kind == 2) {
    std::vector<float> values(dice.below(5));
    for (auto& value : values) value = dice.pick(scales);
    node.reals(std::move(values));
  } else if (kind == 3) {
    node.constant(Tensor::scalar(dice.pick(numbers)));
  } else {
    Shape shape(dice.below(6));
    for (auto& extent : shape) extent = dice.pick(extents);
    node.in(std::move(shape), dice.pick(types));
  }
}

void add_attributes(OneNode& node, Dice& dice) {
  for (const char* name : list_attributes) {
    if (dice.below(4) != 0) continue;
    std::vector<std::int64_t> values(dice.below(6));
    for (auto& value : values) value = dice.pick(numbers);
    node.with(name, std::move(values));
  }
  for (const char* name : number_attributes)
    if (dice.below(4) == 0) node.with(name, AttributeValue(dice.pick(numbers)));
  for (const char* name : text_attributes)
    if (dice.below(3) == 0) node.with(name, dice.pick(texts));
  if (dice.below(8) == 0) node.with("axis", "a text");
  if (dice.below(8) == 0) node.with("scales", AttributeValue(std::vector<float>{1, 1e30f, -1, 2}));
}

TEST(HostileNodes, GiveFactsOrAnError) {
  std::size_t inferred = 0, refused = 0;
  for (const OpDef& def : all_ops()) {
    if (!def.infer) continue;
    for (unsigned seed = 0; seed < 300; ++seed) {
      Dice dice(seed);
      OneNode node(def.op, dice.pick(opsets), def.domain);
      const std::size_t operands = dice.below(9);
      for (std::size_t i = 0; i < operands; ++i) add_operand(node, dice);
      add_attributes(node, dice);
      try {
        node.infer(1 + dice.below(4));
        EXPECT_GE(node.counted(), 0) << def.op << ' ' << seed;
        ++inferred;
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(inferred, 5000u);
  EXPECT_GT(refused, 5000u);
}

}  // namespace
}  // namespace coppice::graph
