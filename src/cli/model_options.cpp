#include "cli/model_options.hpp"

#include <charconv>
#include <limits>

#include "coppice/base/error.hpp"

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
  command
      .add_option("--shape", options.shapes,
                  "Extents for an input's dynamic dimensions, such as x=1x3x224x224; guides MACs; repeatable")
      ->type_name("NAME=DIMS")
      ->allow_extra_args(false);
}

void add_threads_option(CLI::App& command, ModelOptions& options, const std::string& effect) {
  whole_number(command.add_option("--threads", options.threads, "Threads to use, 0 for one a core; " + effect), 0,
               std::numeric_limits<int>::max())
      ->type_name("N")
      ->capture_default_str();
}

pruning::Prepared prepare(const std::string& file, graph::Model model, const pruning::PrepareOptions& options) {
  try {
    return pruning::prepare(std::move(model), options);
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
}

CLI::Option* add_file(CLI::App& command, const std::string& name, std::string& file, const std::string& description) {
  // A validator's answer is what is wrong; nothing is fine. Its name would be shown behind the option's.
  return command.add_option(name, file, description)
      ->type_name("FILE")
      ->check([](const std::string& text) { return text.empty() ? "expected a file name, found \"\"" : ""; }, "", "");
}

void add_normalisation(CLI::App& command, std::vector<double>& mean, std::vector<double>& deviation,
                       const std::string& group) {
  command.add_option("--mean", mean, "Taken off the inputs, by channel, such as 0.286")
      ->type_name("X,...")
      ->delimiter(',')
      ->group(group);
  command.add_option("--deviation", deviation, "What inputs are divided by then")
      ->type_name("X,...")
      ->delimiter(',')
      ->group(group);
}

CLI::Option* whole_number(CLI::Option* option, std::uint64_t low, std::uint64_t high) {
  const auto validate = [low, high](std::string& text) -> std::string {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number < low || number > high)
      return "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", found \"" +
             text + "\"";
    text = std::to_string(number);  // A leading zero would mean octal to what reads it next.
    return "";
  };
  return option->transform(CLI::Validator(validate, ""));
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

std::vector<std::pair<std::string, double>> parse_layers(const std::vector<std::string>& texts,
                                                         double (*parse)(std::string_view)) {
  std::vector<std::pair<std::string, double>> out;
  for (const std::string& text : texts) {
    const auto [name, ratio] = split_assignment("--layer", text);
    try {
      out.emplace_back(name, parse(ratio));
    } catch (const Error& error) {
      throw Error("--layer " + name + ": " + error.what());
    }
  }
  return out;
}

}  // namespace coppice::cli
