// The table of docs/results.md, from the reports of recipes that share one base.
//   results_table BASE_FOLDER "TITLE=FOLDER"...
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"

namespace {

using Json = nlohmann::json;
using Values = std::map<int, double>;  // by seed

// What the last stage of a way came to, seed by seed.
struct Way {
  Values accuracy, macs, parameters, epochs;
};

struct Reports {
  double seconds = 0;
  std::map<std::string, Way> ways;  // by variant
};

Reports read(const std::string& folder, bool first_stage_counts) {
  std::ifstream file(folder + "/report.json");
  if (!file) throw std::runtime_error(folder + "/report.json: cannot be read");
  Reports out;
  const Json report = Json::parse(file);
  for (const Json& run : report.at("runs")) {
    const std::string variant = run.at("variant");
    const int seed = run.at("seed");
    Way& way = out.ways[variant];
    const Json& stages = run.at("stages");
    for (std::size_t i = 0; i < stages.size(); ++i) {
      way.epochs[seed] += static_cast<double>(stages[i].at("history").at("epochs").size());
      const bool shared = variant == "recipe" && i == 0 && !first_stage_counts;  // the base's
      if (!shared) out.seconds += stages[i].at("seconds").get<double>();
    }
    const Json& last = stages.back();
    way.accuracy[seed] = 100 * last.at("test").at("metrics").at("accuracy").get<double>();
    way.macs[seed] = last.at("macs");
    way.parameters[seed] = last.at("parameters");
  }
  return out;
}

double mean(const Values& values) {
  double out = 0;
  for (const auto& [seed, value] : values) out += value / static_cast<double>(values.size());
  return out;
}

std::string with_spread(const Values& values, const char* format) {
  double squares = 0;
  for (const auto& [seed, value] : values) squares += std::pow(value - mean(values), 2);
  const double spread = values.size() > 1 ? std::sqrt(squares / static_cast<double>(values.size() - 1)) : 0;
  char text[64];
  std::snprintf(text, sizeof text, format, mean(values), spread);
  return text;
}

void print_row(const std::string& title, const Way& way, const Way& base) {
  Values gain;
  for (const auto& [seed, accuracy] : way.accuracy) gain[seed] = accuracy - base.accuracy.at(seed);
  char fewer[32];
  std::snprintf(fewer, sizeof fewer, "%.2f", mean(base.macs) / mean(way.macs));
  const bool is_base = &way == &base;
  std::cout << "| " << title << " | " << coppice::analysis::short_count(mean(way.macs)) << " | " << fewer << " | "
            << coppice::analysis::with_separators(std::llround(mean(way.parameters))) << " | "
            << std::llround(mean(way.epochs)) << " | " << with_spread(way.accuracy, "%.2f ± %.2f") << " | "
            << (is_base ? "" : with_spread(gain, "%+.2f ± %.2f")) << " |\n";
}

void print_table(int count, char** arguments) {
  const Reports base = read(arguments[1], true);
  const Way& dense = base.ways.at("recipe");
  std::cout << "| way | MACs | times fewer | parameters | epochs in all | test accuracy, % | against base |\n"
            << "| :-- | --: | --: | --: | --: | --: | --: |\n";
  print_row("Base", dense, dense);
  double seconds = base.seconds;
  for (int i = 2; i < count; ++i) {
    const std::string argument = arguments[i];
    const std::size_t equals = argument.find('=');
    const Reports reports = read(argument.substr(equals + 1), false);
    seconds += reports.seconds;
    print_row("**" + argument.substr(0, equals) + "**", reports.ways.at("recipe"), dense);
    Way random = reports.ways.at("random");  // begins with the base network, too
    for (auto& [seed, epochs] : random.epochs) epochs += dense.epochs.at(seed);
    print_row("the same, channels drawn at random", random, dense);
    print_row("its small network from fresh weights", reports.ways.at("scratch"), dense);
  }
  std::cout << "\n± is the standard deviation over " << dense.accuracy.size() << " seeds; against base: of differences "
            << "seed by seed. " << std::llround(seconds / 60) << " minutes of training and evaluation in all.\n";
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 2) throw std::runtime_error("usage: results_table BASE_FOLDER \"TITLE=FOLDER\"...");
    print_table(count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "results_table: " << error.what() << "\n";
    return 1;
  }
}
