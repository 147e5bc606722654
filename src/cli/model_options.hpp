#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "coppice/base/error.hpp"
#include "coppice/pruning/prepare.hpp"

#include "cli/app.hpp"

namespace coppice::cli {

/// Options of every command that reads a model.
struct ModelOptions {
  std::vector<std::string> shapes;  ///< NAME=1x3x224x224
  int threads = 0;                  ///< 0: all cores.
};

void add_shape_option(CLI::App& command, ModelOptions& options);
void add_threads_option(CLI::App& command, ModelOptions& options,
                        const std::string& effect = "results do not depend on it");
/// Of commands that compute with libtorch, whose sums are not in one order.
inline constexpr const char* threads_of_libtorch = "last digits may depend on it";
inline constexpr const char* threads_of_criteria = "results without --data do not depend on it";

/// Extents by input name. Throws UsageError on a text of another form.
std::vector<std::pair<std::string, graph::Shape>> parse_shapes(const std::vector<std::string>& texts);

/// pruning::prepare(), whose errors then name the file.
pruning::Prepared prepare(const std::string& file, graph::Model model, const pruning::PrepareOptions& options);

/// A file to read or write; an empty name is bad usage.
CLI::Option* add_file(CLI::App& command, const std::string& name, std::string& file, const std::string& description);

/// Makes the option take decimal numbers from `low` to `high` alone; all else is bad usage.
CLI::Option* whole_number(CLI::Option* option, std::uint64_t low, std::uint64_t high);

/// --mean and --deviation of data.
void add_normalisation(CLI::App& command, std::vector<double>& mean, std::vector<double>& deviation,
                       const std::string& group = "Options");

/// "NAME=VALUE", split at the last '='. Throws UsageError, which names the option, on anything else.
std::pair<std::string, std::string> split_assignment(const std::string& option, const std::string& text);

/// The names of an enum for a help text, "local|global|isomorphic": completion and help read them from there.
template <class Enum>
std::string choices(std::string_view (*to_string)(Enum)) {
  std::string out;
  for (int i = 0;; ++i) {
    const std::string_view name = to_string(static_cast<Enum>(i));
    if (name == "unknown") return out;
    out.append(out.empty() ? "" : "|").append(name);
  }
}

/// An option whose values are the names of an enum.
template <class Enum>
CLI::Option* add_choice(CLI::App& command, const std::string& name, std::string& text,
                        std::string_view (*to_string)(Enum), const std::string& description) {
  return command.add_option(name, text, description)->type_name(choices(to_string));
}

/// Reads such a text, where one was given. A name that the user mistyped is bad usage.
template <class Enum>
void read_choice(const std::string& text, Enum (*parse)(std::string_view), Enum& out) {
  try {
    if (!text.empty()) out = parse(text);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

/// The values of --layer NAME=R. Throws Error for a ratio out of range.
std::vector<std::pair<std::string, double>> parse_layers(const std::vector<std::string>& texts,
                                                         double (*parse)(std::string_view));

}  // namespace coppice::cli
