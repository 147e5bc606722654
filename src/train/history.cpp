#include "coppice/train/history.hpp"

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"

#include "train/evaluation_json.hpp"

namespace coppice {
namespace {

using Json = nlohmann::ordered_json;

std::string shortest(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// Columns in the order in which epochs bring them up.
std::vector<std::string> columns(const std::vector<EpochRecord>& epochs) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  for (const EpochRecord& record : epochs) {
    if (record.validation && record.validation->loss) add("validation_loss");
    if (record.validation)
      for (const auto& entry : record.validation->metrics) add(entry.first);
    for (const auto& entry : record.values) add(entry.first);
  }
  return out;
}

std::optional<double> find(const EpochRecord& record, const std::string& column) {
  if (record.validation) {
    if (column == "validation_loss") return record.validation->loss;
    for (const auto& [name, value] : record.validation->metrics)
      if (name == column) return value;
  }
  for (const auto& [name, value] : record.values)
    if (name == column) return value;
  return std::nullopt;
}

Json pairs(const std::vector<std::pair<std::string, double>>& values) {
  Json out = Json::object();
  for (const auto& [name, value] : values) out[name] = value;
  return out;
}

std::vector<std::pair<std::string, double>> pairs_of(const Json& json) {
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [name, value] : json.items()) out.emplace_back(name, number_of(value));
  return out;
}

}  // namespace

std::string History::csv() const {
  const std::vector<std::string> more = columns(epochs);
  std::string out = "epoch,step,learning_rate,training_loss";
  for (const std::string& column : more) out += "," + column;
  out += ",seconds\n";
  for (const EpochRecord& record : epochs) {
    out += std::to_string(record.epoch) + "," + std::to_string(record.step) + "," + shortest(record.learning_rate) +
           "," + shortest(record.training_loss);
    for (const std::string& column : more) {
      const auto value = find(record, column);
      out += "," + (value ? shortest(*value) : std::string());
    }
    out += "," + shortest(record.seconds) + "\n";
  }
  return out;
}

std::string History::json() const {
  Json list = Json::array();
  for (const EpochRecord& record : epochs) {
    Json entry{{"epoch", record.epoch},
               {"step", record.step},
               {"learning_rate", record.learning_rate},
               {"training_loss", record.training_loss}};
    if (record.validation) entry["validation"] = to_json(*record.validation);
    if (!record.values.empty()) entry["values"] = pairs(record.values);
    entry["seconds"] = record.seconds;
    list.push_back(std::move(entry));
  }
  return Json{{"epochs", std::move(list)}}.dump(2) + "\n";
}

History History::parse(const std::string& json) {
  try {
    History out;
    const Json whole = Json::parse(json);
    for (const Json& entry : whole.at("epochs")) {
      EpochRecord record{.epoch = entry.at("epoch").get<std::int64_t>(),
                         .step = entry.at("step").get<std::int64_t>(),
                         .learning_rate = entry.at("learning_rate").get<double>(),
                         .training_loss = number_of(entry.at("training_loss"))};
      if (entry.contains("validation")) record.validation = evaluation_of(entry.at("validation"));
      if (entry.contains("values")) record.values = pairs_of(entry.at("values"));
      record.seconds = entry.at("seconds").get<double>();
      out.epochs.push_back(std::move(record));
    }
    return out;
  } catch (const Json::exception& error) {
    throw Error(std::string("history: expected a list of epochs, found something else: ") + error.what());
  }
}

}  // namespace coppice
