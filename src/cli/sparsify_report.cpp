#include "cli/sparsify_report.hpp"

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"

namespace coppice::cli {
namespace {

using analysis::Align;
using analysis::with_separators;
using Json = nlohmann::ordered_json;

sparsity::ZeroCount total(const SparsifyOutcome& outcome) {
  sparsity::ZeroCount out;
  for (const sparsity::ZeroCount& layer : outcome.layers) {
    out.weights += layer.weights;
    out.before += layer.before;
    out.after += layer.after;
  }
  return out;
}

double share(const sparsity::ZeroCount& count) {
  return count.weights == 0 ? 0 : static_cast<double>(count.after) / static_cast<double>(count.weights);
}

std::string zeros(const SparsifyOutcome& outcome) {
  std::vector<analysis::Column> columns{{"layer", Align::left, true},
                                        {"weights", Align::right},
                                        {"zeros before", Align::right},
                                        {"after", Align::right},
                                        {"share", Align::right}};
  if (!outcome.errors.empty()) columns.push_back({"error", Align::right});
  if (!outcome.encodings.empty()) columns.push_back({"stored"});
  analysis::Table table(std::move(columns));
  const auto row = [&](const std::string& name, const sparsity::ZeroCount& count, const std::string& error = "",
                       std::string_view stored = "") {
    std::vector<std::string> cells{name, with_separators(count.weights), with_separators(count.before),
                                   with_separators(count.after), analysis::percent(share(count))};
    if (!outcome.errors.empty()) cells.push_back(error);
    if (!outcome.encodings.empty()) cells.emplace_back(stored == "dense" ? stored : stored.substr(0, stored.find('_')));
    table.row(std::move(cells));
  };
  for (std::size_t i = 0; i < outcome.layers.size(); ++i) {
    const sparsity::ZeroCount& layer = outcome.layers[i];
    row(layer.layer, layer, outcome.errors.empty() ? "" : analysis::percent(outcome.errors[i]),
        outcome.encodings.empty() ? "" : to_string(outcome.encodings[i]));
  }
  if (outcome.layers.size() > 1) {
    table.rule();
    row("all", total(outcome));
  }
  return table.text();
}

std::string dense(const SparsifyOutcome& outcome) {
  if (outcome.left.empty()) return {};
  analysis::Table table({{"left dense", Align::left, true}, {"why", Align::left, true}});
  for (const sparsity::LeftDense& left : outcome.left) table.row({left.site.layer, left.reason});
  return '\n' + table.text();
}

}  // namespace

std::string sparsify_text(const SparsifyArguments& arguments, const SparsifyOutcome& outcome) {
  const std::string target = arguments.dry_run ? " (dry run)" : " -> " + arguments.out;
  const bool is_dense = arguments.encoding == formats::Encoding::dense;
  return arguments.model + target + "\n\n" + zeros(outcome) + dense(outcome) + "\nfile size " +
         analysis::short_bytes(outcome.bytes_before) + " -> " + analysis::short_bytes(outcome.bytes_after) +
         (is_dense ? " (dense files do not shrink by zeros)\n" : "\n") +
         (outcome.sizes.empty() ? "" : sizes_text(outcome.sizes) + '\n');
}

nlohmann::ordered_json sparsify_json(const SparsifyArguments& arguments, const SparsifyOutcome& outcome) {
  const sparsity::ZeroCount sum = total(outcome);
  Json out{{"model", arguments.model}};
  out["output"] = arguments.dry_run ? Json(nullptr) : Json(arguments.out);
  out["weights"] = sum.weights;
  out["zeros"] = {{"before", sum.before}, {"after", sum.after}};
  out["sparsity"] = share(sum);
  out["bytes"] = {{"before", outcome.bytes_before}, {"after", outcome.bytes_after}};
  out["encoding"] = to_string(arguments.encoding);
  out["sizes"] = sizes_json(outcome.sizes);
  out["layers"] = Json::array();
  for (std::size_t i = 0; i < outcome.layers.size(); ++i) {
    const sparsity::ZeroCount& layer = outcome.layers[i];
    out["layers"].push_back({{"name", layer.name},
                             {"layer", layer.layer},
                             {"weights", layer.weights},
                             {"zeros", {{"before", layer.before}, {"after", layer.after}}}});
    if (!outcome.errors.empty()) out["layers"].back()["error"] = outcome.errors[i];
    if (!outcome.encodings.empty()) out["layers"].back()["encoding"] = to_string(outcome.encodings[i]);
  }
  out["left"] = Json::array();
  for (const sparsity::LeftDense& left : outcome.left)
    out["left"].push_back({{"name", left.site.name}, {"layer", left.site.layer}, {"reason", left.reason}});
  return out;
}

}  // namespace coppice::cli
