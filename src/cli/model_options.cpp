#include "cli/model_options.hpp"

#include <charconv>

#include "cli/app.hpp"

namespace coppice::cli {
namespace {

graph::Shape parse_extents(const std::string& whole, std::string_view text) {
  graph::Shape out;
  while (true) {
    const std::string_view part = text.substr(0, text.find('x'));
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), extent);
    if (error != std::errc() || end != part.data() + part.size() || extent < 1)
      throw UsageError("--shape: expected NAME=1x3x224x224, found \"" + whole + "\"");
    out.push_back(extent);
    if (part.size() == text.size()) return out;
    text.remove_prefix(part.size() + 1);
  }
}

}  // namespace

void add_shape_option(CLI::App& command, ModelOptions& options) {
  command.add_option("--shape", options.shapes, "Extents of an input, such as x=1x3x224x224; guides MACs; repeatable")
      ->type_name("NAME=DIMS")
      ->allow_extra_args(false);
}

void add_threads_option(CLI::App& command, ModelOptions& options) {
  command.add_option("--threads", options.threads, "Threads to use, 0 for one a core; results do not depend on it")
      ->type_name("N")
      ->capture_default_str();
}

std::pair<std::string, std::string> split_assignment(const std::string& option, const std::string& text) {
  const std::size_t at = text.rfind('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    throw UsageError(option + ": expected NAME=VALUE, found \"" + text + "\"");
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<std::pair<std::string, graph::Shape>> parse_shapes(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, graph::Shape>> out;
  for (const std::string& text : texts) {
    const auto [name, extents] = split_assignment("--shape", text);
    out.emplace_back(name, parse_extents(text, extents));
  }
  return out;
}

}  // namespace coppice::cli
