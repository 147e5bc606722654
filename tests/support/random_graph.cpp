#include "support/random_graph.hpp"

#include <stdexcept>

namespace coppice::test {
namespace {

constexpr std::int64_t batch = 2, frames = 6, pixels = 8, classes = 5, vocabulary = 24;
// Reductions take their axes as an operand from 18 on; quantisation has a block size from 21 on.
constexpr std::int64_t opsets[] = {17, 18, 21};

struct List {
  std::span<const Block> (*blocks)();
  bool on_image, quantised;
  int weight;  // how often it is drawn
};
constexpr List lists[] = {
    {conv_blocks, true, false, 4},       {branch_blocks, true, false, 5},
    {channel_blocks, true, false, 5},    {spatial_blocks, true, false, 4},
    {gate_blocks, true, false, 4},       {image_norm_blocks, true, false, 3},
    {quantised_blocks, true, true, 1},   {attention_blocks, false, false, 5},
    {token_blocks, false, false, 5},     {sequence_norm_blocks, false, false, 3},
    {recurrent_blocks, false, false, 2}, {quantised_token_blocks, false, true, 1},
};

class Assembly {
 public:
  explicit Assembly(std::uint64_t seed) : m_(seed, opsets[seed % std::size(opsets)]) {
    m_.dynamic_batch = m_.chance(0.4);
  }

  Feature image() {
    const Feature x = m_.input("image", {batch, 3, pixels, pixels});
    Feature y = m_.conv(x, m_.width(), {});
    if (m_.chance(0.5)) y = m_.batch_norm(y);
    return m_.activation(y);
  }

  Feature sequence() {
    if (m_.chance(0.5)) {
      const Feature x = m_.input("frames", {batch, frames, 6});
      return m_.linear(x, m_.width());
    }
    const ValueId ids = m_.token_input("ids", {batch, frames}, vocabulary);
    const std::int64_t wide = m_.width();
    const ValueId table = m_.values("embedding", {vocabulary, wide}, 1);
    const Feature x = m_.op("Gather", {table, ids}, {batch, frames, wide}, {graph::attr("axis", 0)});
    if (m_.chance(0.4)) tied_table_ = Feature{table, {vocabulary, wide}};
    return x;
  }

  Feature to_sequence(const Feature& x) {
    Feature y = x;
    while (y[2] > 4) y = m_.conv(y, m_.width(), {.stride = 2});
    if (m_.chance(0.5)) {
      y = m_.reshape(y, {y[0], y[1], y[2] * y[3]});
      return m_.transpose(y, {0, 2, 1});
    }
    y = m_.transpose(y, {0, 2, 3, 1});
    return m_.reshape(y, {y[0], y[1] * y[2], y[3]});
  }

  Feature apply(const NamedBlock& choice, const Feature& x) {
    out_.blocks.emplace_back(choice.block->name);
    out_.quantised |= choice.quantised;
    return choice.block->make(m_, x);
  }

  Feature random_block(const Feature& x, bool on_image) {
    Feature y = x;
    const std::size_t channel_axis = on_image ? 1 : 2;
    if (y[channel_axis] > 40) y = on_image ? m_.conv(y, m_.width(), {.kernel = 1}) : m_.linear(y, m_.width());
    int total = 0;
    for (const List& list : lists)
      if (list.on_image == on_image) total += list.weight;
    std::int64_t draw = m_.pick(0, total - 1);
    for (const List& list : lists) {
      if (list.on_image != on_image) continue;
      if (draw >= list.weight) {
        draw -= list.weight;
        continue;
      }
      const std::span<const Block> blocks = list.blocks();
      const Block* block = &blocks[static_cast<std::size_t>(m_.pick(0, static_cast<std::int64_t>(blocks.size()) - 1))];
      if (block->fits && !block->fits(y)) return y;
      return apply({block, on_image, list.quantised}, y);
    }
    throw std::logic_error("no list drawn");
  }

  void image_head(const Feature& x, std::string_view name) {
    Feature y = x;
    switch (m_.pick(0, 3)) {
      case 0:
        y = m_.conv(x, classes, {.kernel = 1});
        break;
      case 1:
        y = m_.linear(m_.reduce("ReduceMean", x, {2, 3}, false), classes);
        break;
      case 2:
        y = m_.linear(flatten(x), classes);
        break;
      default:
        y = m_.linear(flatten(m_.op("GlobalAveragePool", {x}, {x[0], x[1], 1, 1})), classes);
    }
    m_.output(y, name);
  }

  void sequence_head(const Feature& x, std::string_view name) {
    Feature y = x;
    if (tied_table_.id != graph::no_value && tied_table_[1] == x[2]) {
      // The output shares the embedding's matrix.
      const ValueId w = m_.builder.op("Transpose", {tied_table_}, {ints("perm", {1, 0})});
      y = m_.op("MatMul", {x, w}, {x[0], x[1], vocabulary});
      y = m_.map("Mul", y, {m_.scalar(0.3f)});
    } else if (m_.chance(0.4)) {
      y = m_.linear(m_.reduce("ReduceMean", x, {1}, false), classes);
    } else if (m_.chance(0.4)) {
      y = m_.linear(m_.op("Gather", {x, m_.builder.int_scalar(0)}, {x[0], x[2]}, {graph::attr("axis", 1)}), classes);
    } else {
      y = m_.linear(x, classes);
    }
    m_.output(y, name);
  }

  Maker& maker() { return m_; }

  RandomGraph finish() && {
    out_.feeding = std::move(m_.feeding);
    out_.model = std::move(m_.builder).finish();
    return std::move(out_);
  }

 private:
  Feature flatten(const Feature& x) {
    std::int64_t rest = 1;
    for (std::size_t i = 1; i < x.rank(); ++i) rest *= x[i];
    return m_.op("Flatten", {x}, {x[0], rest}, {graph::attr("axis", 1)});
  }

  Maker m_;
  RandomGraph out_;
  Feature tied_table_;
};

}  // namespace

std::string RandomGraph::story() const {
  std::string line;
  for (const std::string& block : blocks) line += (line.empty() ? "" : " > ") + block;
  return line;
}

RandomGraph random_graph(std::uint64_t seed, int length) {
  Assembly assembly(seed);
  Maker& m = assembly.maker();
  const bool start_on_image = m.chance(0.65);
  const auto draw_length = [&] { return m.pick(1, length); };
  Feature x = start_on_image ? assembly.image() : assembly.sequence();
  for (std::int64_t left = draw_length(); left > 0; --left) x = assembly.random_block(x, start_on_image);
  if (!start_on_image) {
    assembly.sequence_head(x, "out");
    return std::move(assembly).finish();
  }
  if (m.chance(0.25)) assembly.image_head(x, "early");
  if (m.chance(0.3)) {
    x = assembly.to_sequence(x);
    for (std::int64_t left = draw_length(); left > 0; --left) x = assembly.random_block(x, false);
    assembly.sequence_head(x, "out");
  } else {
    assembly.image_head(x, "out");
  }
  return std::move(assembly).finish();
}

std::vector<NamedBlock> all_blocks() {
  std::vector<NamedBlock> all;
  for (const List& list : lists)
    for (const Block& block : list.blocks()) all.push_back({&block, list.on_image, list.quantised});
  return all;
}

RandomGraph block_graph(const NamedBlock& block, std::uint64_t seed) {
  Assembly assembly(seed);
  if (block.on_image) {
    assembly.image_head(assembly.apply(block, assembly.image()), "out");
  } else {
    assembly.sequence_head(assembly.apply(block, assembly.sequence()), "out");
  }
  return std::move(assembly).finish();
}

}  // namespace coppice::test
