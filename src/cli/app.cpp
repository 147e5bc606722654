#include "cli/app.hpp"

#include <vector>

#include "coppice/base/nearest.hpp"

#include "cli/help.hpp"

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

std::unique_ptr<CLI::App> make_app() {
  auto app = std::make_unique<CLI::App>(description, "coppice");
  app->formatter(std::make_shared<Help>());
  app->set_help_flag("-h,--help", "Print this help");
  app->set_version_flag("-V,--version", "coppice " COPPICE_VERSION, "Print the version");
  app->footer(examples);
  app->require_subcommand(0, 1);
  add_zoo(*app);
  add_inspect(*app);
  add_prune(*app);
  add_diff(*app);
  add_completion(*app);
  return app;
}

std::string explain_extras(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  const std::vector<std::string> extras = command.remaining();
  const std::string extra = extras.empty() ? "" : extras.front();
  std::vector<std::string> names;
  if (extra.starts_with('-')) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return "unknown option " + extra + nearest_text(extra.substr(0, extra.find('=')), names);
  }
  if (!parsed.empty()) return "unexpected argument \"" + extra + "\"";
  for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(other->get_name());
  return "unknown command \"" + extra + "\"" + nearest_text(extra, names);
}

}  // namespace coppice::cli
