#include "coppice/zoo/zoo.hpp"

#include <limits>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/formats/onnx.hpp"

#include "cli/app.hpp"
#include "cli/model_options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"

namespace coppice::cli {
namespace {

struct ZooArguments {
  std::string name, out;
  std::uint64_t seed = 0;
  bool json = false;
};

void list(bool json) {
  if (json) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const zoo::Entry& entry : zoo::entries())
      out.push_back({{"name", entry.name}, {"params", entry.parameters}, {"description", entry.description}});
    print_json(out);
    return;
  }
  analysis::Table table(
      {{"name"}, {"parameters", analysis::Align::right}, {"description", analysis::Align::left, true}});
  for (const zoo::Entry& entry : zoo::entries())
    table.row({std::string(entry.name), analysis::with_separators(entry.parameters), std::string(entry.description)});
  print(table.text());
}

const zoo::Entry* find(const std::string& name) {
  for (const zoo::Entry& entry : zoo::entries()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

void write(const ZooArguments& arguments) {
  check_target(arguments.out);
  Bar bar;
  bar.begin("build", 0);
  const graph::Model model = zoo::build(arguments.name, arguments.seed);
  bar.end();
  formats::write_onnx(model, arguments.out, {.progress = &bar});
  const zoo::Entry* found = find(arguments.name);
  const std::int64_t parameters = found ? found->parameters : 0;
  const std::uint64_t bytes = file_bytes(arguments.out);
  if (arguments.json) {
    print_json({{"name", arguments.name},
                {"output", arguments.out},
                {"seed", arguments.seed},
                {"params", parameters},
                {"bytes", bytes}});
    return;
  }
  print(arguments.out + ": " + arguments.name + ", " + analysis::with_separators(parameters) + " parameters, " +
        analysis::short_bytes(bytes) + "\n");
}

}  // namespace

void add_zoo(CLI::App& app) {
  auto arguments = std::make_shared<ZooArguments>();
  CLI::App* command = app.add_subcommand("zoo", "List reference architectures, or write one with seeded weights");
  std::string names;
  for (const zoo::Entry& entry : zoo::entries()) names.append(names.empty() ? "" : "|").append(entry.name);
  command->add_option("NAME", arguments->name, "Architecture to write; without it, all are listed")->type_name(names);
  add_file(*command, "-o,--out", arguments->out, "Where to write the model");
  whole_number(command->add_option("--seed", arguments->seed, "Of the random weights"), 0,
               std::numeric_limits<std::uint64_t>::max())
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print one JSON object");
  command->footer(
      "coppice zoo\n"
      "coppice zoo resnet18 -o resnet18.onnx\n"
      "coppice zoo gpt2_tiny -o gpt2.onnx --seed 7");
  command->callback([arguments] {
    if (arguments->name.empty() && !arguments->out.empty()) throw UsageError("-o needs the NAME of an architecture");
    if (arguments->name.empty()) return list(arguments->json);
    if (!find(arguments->name)) zoo::build(arguments->name, 0);  // Throws, with the nearest names.
    if (arguments->out.empty()) throw UsageError("-o FILE is missing: where to write " + arguments->name);
    write(*arguments);
  });
}

}  // namespace coppice::cli
