#include <cmath>

#include "families.hpp"

namespace coppice::zoo {
namespace {

constexpr std::int64_t vocabulary = 10000, width = 128, hidden = 128, tags = 17, layers = 2;

/// sequence x batch x in -> sequence x batch x 2 hidden, with zero initial states made as exporters make them.
ValueId bidirectional_lstm(Net& net, ValueId x, const std::string& path, std::int64_t in) {
  graph::Builder& b = net.b;
  const Init init = Init::uniform(1 / std::sqrt(static_cast<double>(hidden)));
  const ValueId weight = net.param(path + ".W", {2, 4 * hidden, in}, init);
  const ValueId recurrent = net.param(path + ".R", {2, 4 * hidden, hidden}, init);
  const ValueId bias = net.param(path + ".B", {2, 8 * hidden}, init);
  const auto batch = Net::Item::computed(net.extent(x, 1, path + "/batch"));
  const ValueId state =
      b.op("ConstantOfShape", {net.shape({2, batch, hidden}, path + "/state/shape")}, {}, path + "/state");
  const auto outputs = b.op_multi("LSTM", {x, weight, recurrent, bias, graph::no_value, state, state}, 1,
                                  {attr("direction", std::string("bidirectional")), attr("hidden_size", hidden)}, path);
  // sequence x directions x batch x hidden: the directions move beside the units they belong to.
  const ValueId turned = net.transpose(outputs[0], {0, 2, 1, 3}, path + "/directions_last");
  return net.reshape(turned, {0, 0, -1}, path + "/joined");
}

}  // namespace

void lstm_tagger(Net& net, std::string_view) {
  const ValueId tokens = net.token_input();
  const ValueId embedding = net.param("embedding.weight", {vocabulary, width}, Init::normal(1));
  ValueId x = net.b.op("Gather", {embedding, tokens}, {attr("axis", 0)}, "embedding");
  x = net.transpose(x, {1, 0, 2}, "sequence_first");
  for (std::int64_t i = 0; i < layers; ++i)
    x = bidirectional_lstm(net, x, "lstm." + std::to_string(i), i == 0 ? width : 2 * hidden);
  x = net.transpose(x, {1, 0, 2}, "batch_first");
  const Init init = Init::uniform(1 / std::sqrt(2.0 * static_cast<double>(hidden)));
  net.output(net.dense(x, "head", 2 * hidden, tags, init), "output", {batch_dim, sequence_dim, fixed(tags)});
}

}  // namespace coppice::zoo
