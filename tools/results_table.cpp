// The tables of docs/results.md, from the reports of recipes that share one base.
//   results_table [--sparse] BASE_FOLDER "TITLE=FOLDER"...
// --sparse: by the parameters that are not zero, where structure stays.
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
  Values accuracy, macs, parameters, nonzero, epochs;
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
    way.nonzero[seed] = last.at("nonzero");
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

void print_row(const std::string& title, const Way& way, const Way& base, bool sparse) {
  Values gain;
  for (const auto& [seed, accuracy] : way.accuracy) gain[seed] = accuracy - base.accuracy.at(seed);
  const Values& left = sparse ? way.nonzero : way.parameters;
  const double times = sparse ? mean(base.nonzero) / mean(left) : mean(base.macs) / mean(way.macs);
  char fewer[32];
  std::snprintf(fewer, sizeof fewer, "%.2f", times);
  const bool is_base = &way == &base;
  std::cout << "| " << title << " | " << (sparse ? "" : coppice::analysis::short_count(mean(way.macs)) + " | ") << fewer
            << " | " << coppice::analysis::with_separators(std::llround(mean(left))) << " | "
            << std::llround(mean(way.epochs)) << " | " << with_spread(way.accuracy, "%.2f ± %.2f") << " | "
            << (is_base ? "" : with_spread(gain, "%+.2f ± %.2f")) << " |\n";
}

void print_table(const std::vector<std::string>& arguments, bool sparse) {
  const Reports base = read(arguments.at(0), true);
  const Way& dense = base.ways.at("recipe");
  std::cout << (sparse ? "| way | times fewer | parameters not zero" : "| way | MACs | times fewer | parameters")
            << " | epochs in all | test accuracy, % | against base |\n| :-- | --: | --: | --: | --: | --: |"
            << (sparse ? "\n" : " --: |\n");
  print_row("Base", dense, dense, sparse);
  double seconds = base.seconds;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::size_t equals = arguments[i].find('=');
    Reports reports = read(arguments[i].substr(equals + 1), false);
    seconds += reports.seconds;
    print_row("**" + arguments[i].substr(0, equals) + "**", reports.ways.at("recipe"), dense, sparse);
    if (const auto random = reports.ways.find("random"); random != reports.ways.end()) {
      for (auto& [seed, epochs] : random->second.epochs) epochs += dense.epochs.at(seed);  // it begins there, too
      print_row(sparse ? "the same, zeros drawn at random" : "the same, channels drawn at random", random->second,
                dense, sparse);
    }
    if (const auto scratch = reports.ways.find("scratch"); scratch != reports.ways.end())
      print_row(sparse ? "its zeros in a fresh network" : "its small network from fresh weights", scratch->second,
                dense, sparse);
  }
  std::cout << "\n± is the standard deviation over " << dense.accuracy.size() << " seeds; against base: of differences "
            << "seed by seed. " << std::llround(seconds / 60) << " minutes of training and evaluation in all.\n";
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::vector<std::string> rest(arguments + 1, arguments + count);
    const bool sparse = !rest.empty() && rest.front() == "--sparse";
    if (sparse) rest.erase(rest.begin());
    if (rest.empty()) throw std::runtime_error("usage: results_table [--sparse] BASE_FOLDER \"TITLE=FOLDER\"...");
    print_table(rest, sparse);
  } catch (const std::exception& error) {
    std::cerr << "results_table: " << error.what() << "\n";
    return 1;
  }
}
