#include "cli/app.hpp"

#include <algorithm>
#include <vector>

#include "coppice/base/nearest.hpp"

#include "cli/help.hpp"
#include "cli/impact.hpp"

namespace coppice::cli {
namespace {

constexpr const char* description =
    "Cuts neural networks back: removes channels, heads and neurons from an ONNX model and proves that the result is "
    "sound.";

constexpr const char* examples =
    "coppice zoo resnet18 -o resnet18.onnx\n"
    "coppice inspect resnet18.onnx\n"
    "coppice prune resnet18.onnx -o small.onnx --ratio 30%\n"
    "coppice diff resnet18.onnx small.onnx\n"
    "coppice prune --help";

std::string nearest_text(const std::string& wanted, const std::vector<std::string>& names) {
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string list = base::nearest_list(wanted, views, 1);
  return list == "none" ? "" : "; did you mean " + list + "?";
}

}  // namespace

std::unique_ptr<CLI::App> make_app(TorchServices* services) {
  auto app = std::make_unique<CLI::App>(description, "coppice");
  app->formatter(std::make_shared<Help>());
  app->set_help_flag("-h,--help", "Print this help");
  app->set_version_flag("-V,--version", "coppice " COPPICE_VERSION, "Print the version");
  app->footer(examples);
  app->require_subcommand(0, 1);
  add_zoo(*app);
  add_inspect(*app, services);
  add_prune(*app, services);
  add_sparsify(*app, services);
  add_pack(*app);
  add_unpack(*app);
  add_diff(*app);
  add_verify(*app, services);
  add_run(*app, services);
  add_bench(*app, services);
  add_train(*app, services);
  add_finetune(*app, services);
  add_evaluate(*app, services);
  add_sensitivity(*app, services);
  add_impact(*app, services);
  add_run_recipe(*app, services);
  add_completion(*app);
  return app;
}

std::vector<std::string> command_line(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> out(argv + std::min(argc, 1), argv + argc);
  if (!out.empty() && out.front() == "help") {
    out.erase(out.begin());
    const auto named = [&](const CLI::App* command) { return command->get_name() == out.front(); };
    if (out.empty() || !app.get_subcommands(named).empty()) {
      out.resize(std::min<std::size_t>(out.size(), 1));
      out.emplace_back("--help");
    }
  }
  const auto mark = std::find(out.begin(), out.end(), "--");
  if (mark == out.end()) return out;
  for (auto argument = mark + 1; argument != out.end(); ++argument)
    if (argument->starts_with('-')) argument->insert(0, "./");
  out.erase(mark);
  return out;
}

std::string explain_extras(const CLI::App& app) {
  const bool before = !app.remaining().empty();  // What stands before the command is the program's.
  const std::vector<CLI::App*> parsed = before ? std::vector<CLI::App*>() : app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::vector<std::string> extras = command.remaining();
  const std::string extra = extras.empty() ? "" : extras.front();
  std::vector<std::string> names;
  if (extra.starts_with('-')) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    if (before && !app.get_subcommands().empty())
      return "unknown option " + extra + " before the command; options stand behind it";
    return "unknown option " + extra + nearest_text(extra.substr(0, extra.find('=')), names);
  }
  if (!parsed.empty()) return "unexpected argument \"" + extra + "\"";
  for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(other->get_name());
  return "unknown command \"" + extra + "\"" + nearest_text(extra, names);
}

}  // namespace coppice::cli
