#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/analysis/compare.hpp"
#include "coppice/analysis/layers.hpp"
#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/base/rounded.hpp"
#include "coppice/formats/onnx.hpp"

#include "cli/app.hpp"
#include "cli/model_options.hpp"
#include "cli/output.hpp"

namespace coppice::cli {
namespace {

using Json = nlohmann::ordered_json;

struct DiffArguments {
  std::string a, b;
  ModelOptions common;
  bool json = false;
};

struct Side {
  std::string file;
  std::uint64_t bytes = 0;
  analysis::Layers layers;
};

Side read_side(const std::string& file, const DiffArguments& arguments) {
  graph::Model model = formats::read_onnx(file);
  Side out{file, model.source_bytes, {}};
  pruning::PrepareOptions options;
  options.shapes = parse_shapes(arguments.common.shapes);
  out.layers = analysis::layers(prepare(file, std::move(model), options));
  return out;
}

const analysis::LayerRow* row_of(const Side& side, std::int32_t index) {
  return index < 0 ? nullptr : &side.layers.rows[static_cast<std::size_t>(index)];
}

bool weighs(const analysis::LayerRow* row) {
  return row && (row->parameters > 0 || row->macs > 0);
}

std::string text(const Side& a, const Side& b, const std::vector<analysis::Pair>& pairs) {
  using analysis::Align;
  using analysis::short_count;
  analysis::Table table({{"layer", Align::left, true},
                         {"shape A"},
                         {"shape B"},
                         {"params A", Align::right},
                         {"params B", Align::right},
                         {"MACs A", Align::right},
                         {"MACs B", Align::right}});
  std::size_t different = 0;
  for (const analysis::Pair& pair : pairs) {
    const analysis::LayerRow *x = row_of(a, pair.a), *y = row_of(b, pair.b);
    if (differs(a.layers, b.layers, pair)) ++different;
    if (!weighs(x) && !weighs(y)) continue;
    const auto number = [](double count) { return count > 0 ? short_count(count) : ""; };
    const auto params = [&](const analysis::LayerRow* row) {
      return row ? number(static_cast<double>(row->parameters)) : "-";
    };
    const auto macs = [&](const analysis::LayerRow* row) { return row ? number(row->macs) : "-"; };
    table.row({x ? x->name : y->name, x ? shape_text(*x) : "-", y ? shape_text(*y) : "-", params(x), params(y), macs(x),
               macs(y)});
  }
  analysis::Table sums({{""}, {"A", Align::right}, {"B", Align::right}, {"B/A", Align::right}});
  const auto share = [](double before, double after) { return before > 0 ? analysis::percent(after / before) : "-"; };
  const auto parameters = [](const Side& side) { return static_cast<double>(side.layers.parameters); };
  sums.row({"parameters", analysis::with_separators(a.layers.parameters),
            analysis::with_separators(b.layers.parameters), share(parameters(a), parameters(b))});
  sums.row({"MACs", short_count(a.layers.macs), short_count(b.layers.macs), share(a.layers.macs, b.layers.macs)});
  sums.row({"file size", analysis::short_bytes(a.bytes), analysis::short_bytes(b.bytes),
            share(static_cast<double>(a.bytes), static_cast<double>(b.bytes))});
  return "A " + a.file + "\nB " + b.file + "\n\n" + table.text() + '\n' + sums.text() + '\n' +
         std::to_string(different) + " of " + std::to_string(pairs.size()) + " nodes differ\n";
}

Json side_json(const analysis::LayerRow* row) {
  if (!row) return nullptr;
  Json shape = nullptr;
  if (row->ranked) shape = row->shape;
  return {{"name", row->name},
          {"op", row->op},
          {"shape", shape},
          {"params", row->parameters},
          {"macs", base::rounded(row->macs)}};
}

Json json(const Side& a, const Side& b, const std::vector<analysis::Pair>& pairs) {
  Json layers = Json::array();
  for (const analysis::Pair& pair : pairs) {
    layers.push_back({{"a", side_json(row_of(a, pair.a))},
                      {"b", side_json(row_of(b, pair.b))},
                      {"differs", differs(a.layers, b.layers, pair)}});
  }
  return {{"a", a.file},
          {"b", b.file},
          {"params", {{"a", a.layers.parameters}, {"b", b.layers.parameters}}},
          {"macs", {{"a", base::rounded(a.layers.macs)}, {"b", base::rounded(b.layers.macs)}}},
          {"bytes", {{"a", a.bytes}, {"b", b.bytes}}},
          {"layers", layers}};
}

void diff(const DiffArguments& arguments) {
  const Side a = read_side(arguments.a, arguments), b = read_side(arguments.b, arguments);
  const std::vector<analysis::Pair> pairs = analysis::match(a.layers, b.layers);
  if (arguments.json) {
    print_json(json(a, b, pairs));
  } else {
    print(text(a, b, pairs));
  }
}

}  // namespace

void add_diff(CLI::App& app) {
  auto arguments = std::make_shared<DiffArguments>();
  CLI::App* command = app.add_subcommand("diff", "Compare two models layer by layer");
  add_file(*command, "A", arguments->a, "ONNX file")->required();
  add_file(*command, "B", arguments->b, "ONNX file")->required();
  add_shape_option(*command, arguments->common);
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice diff model.onnx small.onnx\n"
      "coppice diff model.onnx small.onnx --shape input=1x3x640x640 --json");
  command->callback([arguments] { diff(*arguments); });
}

}  // namespace coppice::cli
