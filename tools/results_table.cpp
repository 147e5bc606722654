// The figures of docs/results.md, one line a way, variant and seed, and the tables made of them.
//   results_table --add FIGURES.csv WAY FOLDER          from the report of a recipe, in place of what was there of it
//   results_table [--sparse] FIGURES.csv "TITLE=WAY"... prints the table; the first way is the base of all
// --sparse: by the parameters that are not zero, where structure stays.
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"

namespace {

constexpr const char* head = "way,variant,seed,test_accuracy,macs,parameters,nonzero,epochs,seconds";

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> out;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) out.push_back(line);
  if (!out.empty() && out.front() != head) throw std::runtime_error(path + ": expected the columns " + head);
  return out;
}

// What the last stage of each run came to, and what all its stages took but that of the base, which all share.
std::vector<std::string> lines_of(const std::string& way, const std::string& folder) {
  std::vector<std::string> lines;
  std::ifstream file(folder + "/report.json");
  if (!file) throw std::runtime_error(folder + "/report.json: cannot be read");
  const auto report = nlohmann::json::parse(file);
  for (const auto& run : report.at("runs")) {
    std::size_t epochs = 0;
    double seconds = 0;
    for (const auto& stage : run.at("stages")) {
      epochs += stage.at("history").at("epochs").size();
      const bool shared = way != "base" && run.at("variant") == "recipe" && stage.at("stage") == "train";
      if (!shared) seconds += stage.at("seconds").get<double>();
    }
    const auto& last = run.at("stages").back();
    std::ostringstream out;
    out << way << ',' << run.at("variant").get<std::string>() << ',' << run.at("seed") << ','
        << last.at("test").at("metrics").at("accuracy") << ',' << last.at("macs") << ',' << last.at("parameters") << ','
        << last.at("nonzero") << ',' << epochs << ',' << std::llround(seconds);
    lines.push_back(out.str());
  }
  return lines;
}

// But for the seconds, the last column.
std::vector<std::string> without_seconds(const std::vector<std::string>& lines) {
  std::vector<std::string> out;
  for (const std::string& line : lines) out.push_back(line.substr(0, line.rfind(',')));
  return out;
}

void add(const std::string& path, const std::string& way, const std::string& folder) {
  const std::vector<std::string> lines = read_lines(path), added = lines_of(way, folder);
  std::vector<std::string> before, others;
  for (std::size_t i = 1; i < lines.size(); ++i)
    (lines[i].starts_with(way + ",") ? before : others).push_back(lines[i]);
  if (way == "base" && !before.empty() && !others.empty() && without_seconds(before) != without_seconds(added))
    throw std::runtime_error(path + ": has figures of ways from another base; put the file aside to begin anew");
  std::ostringstream text;
  text << head << '\n';
  others.insert(others.end(), added.begin(), added.end());
  for (const std::string& line : others) text << line << '\n';
  std::ofstream(path + ".new") << text.str();
  if (std::rename((path + ".new").c_str(), path.c_str()) != 0) throw std::runtime_error(path + ": cannot be written");
}

using Values = std::map<int, double>;  // by seed

struct Way {
  Values accuracy, macs, parameters, nonzero, epochs;
  double seconds = 0;
};

using Figures = std::map<std::pair<std::string, std::string>, Way>;  // by way and variant

Figures read(const std::string& path) {
  Figures out;
  const std::vector<std::string> lines = read_lines(path);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::vector<std::string> cells;
    std::istringstream line(lines[i]);
    for (std::string cell; std::getline(line, cell, ',');) cells.push_back(cell);
    if (cells.size() != 9) throw std::runtime_error(path + ":" + std::to_string(i + 1) + ": expected 9 columns");
    Way& way = out[{cells[0], cells[1]}];
    const int seed = std::stoi(cells[2]);
    way.accuracy[seed] = 100 * std::stod(cells[3]);
    way.macs[seed] = std::stod(cells[4]);
    way.parameters[seed] = std::stod(cells[5]);
    way.nonzero[seed] = std::stod(cells[6]);
    way.epochs[seed] = std::stod(cells[7]);
    way.seconds += std::stod(cells[8]);
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

void print_table(const std::string& path, const std::vector<std::string>& ways, bool sparse) {
  Figures figures = read(path);
  const auto split = [](const std::string& text) {
    const std::size_t equals = text.find('=');
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
  };
  const auto find = [&](const std::string& way) -> Way& {
    const auto found = figures.find({way, "recipe"});
    if (found == figures.end()) throw std::runtime_error(path + ": expected figures of \"" + way + "\", found none");
    return found->second;
  };
  const auto [base_title, base] = split(ways.at(0));
  const Way& dense = find(base);
  std::cout << (sparse ? "| way | times fewer | parameters not zero" : "| way | MACs | times fewer | parameters")
            << " | epochs in all | test accuracy, % | against base |\n| :-- | --: | --: | --: | --: | --: |"
            << (sparse ? "\n" : " --: |\n");
  print_row(base_title, dense, dense, sparse);
  double seconds = dense.seconds;
  for (std::size_t i = 1; i < ways.size(); ++i) {
    const auto [title, way] = split(ways[i]);
    print_row("**" + title + "**", find(way), dense, sparse);
    seconds += find(way).seconds;
    const std::pair<const char*, const char*> baselines[] = {
        {"random", sparse ? "the same, zeros drawn at random" : "the same, channels drawn at random"},
        {"scratch", sparse ? "its zeros in a fresh network" : "its small network from fresh weights"},
        {"short", "the same, trained as the base"}};
    for (const auto& [variant, what] : baselines) {
      const auto found = figures.find({way, variant});
      if (found == figures.end()) continue;
      if (std::string(variant) == "random")  // it begins with the base, too
        for (auto& [seed, epochs] : found->second.epochs) epochs += dense.epochs.at(seed);
      print_row(what, found->second, dense, sparse);
      seconds += found->second.seconds;
    }
  }
  std::cout << "\n± is the standard deviation over " << dense.accuracy.size() << " seeds; against base: of differences "
            << "seed by seed. " << std::llround(seconds / 60) << " minutes of training and evaluation in all.\n";
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::vector<std::string> rest(arguments + 1, arguments + count);
    const std::string option = !rest.empty() && rest.front().starts_with("--") ? rest.front() : "";
    if (!option.empty()) rest.erase(rest.begin());
    if (option == "--add" && rest.size() == 3)
      add(rest[0], rest[1], rest[2]);
    else if ((option.empty() || option == "--sparse") && rest.size() > 1)
      print_table(rest[0], {rest.begin() + 1, rest.end()}, !option.empty());
    else
      throw std::runtime_error(
          "usage: results_table --add FIGURES.csv WAY FOLDER\n"
          "       results_table [--sparse] FIGURES.csv \"TITLE=WAY\"...");
  } catch (const std::exception& error) {
    std::cerr << "results_table: " << error.what() << "\n";
    return 1;
  }
}
