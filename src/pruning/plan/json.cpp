#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/pruning/plan.hpp"

namespace coppice::pruning {
namespace {

using Json = nlohmann::json;

constexpr const char* format_name = "coppice plan";
// A plan needs four levels; the parser is not recursive, but nothing good nests deeper.
constexpr int depth_limit = 16;

std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw Error("plan: expected names in UTF-8, found other bytes");
  }
}

Json read(std::string_view text) {
  const auto guard = [](int depth, Json::parse_event_t, Json&) {
    if (depth > depth_limit)
      throw Error("plan: expected at most " + std::to_string(depth_limit) + " levels of nesting, found more");
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), guard);
  } catch (const Json::parse_error& error) {
    throw Error("plan: byte " + std::to_string(error.byte) + ": expected JSON, found something else");
  } catch (const Json::exception&) {
    throw Error("plan: expected JSON with numbers in range, found others");
  }
}

const Json& field(const Json& object, const std::string& where, const char* name) {
  const auto it = object.find(name);
  if (it == object.end()) throw Error("plan: " + where + ": expected a field \"" + name + "\", found none");
  return *it;
}

std::string text(const Json& value, const std::string& where) {
  if (!value.is_string()) throw Error("plan: " + where + ": expected text, found " + value.type_name());
  return value.get<std::string>();
}

std::int64_t whole(const Json& value, const std::string& where, std::int64_t from, std::int64_t below) {
  const auto fail = [&](const std::string& found) {
    throw Error("plan: " + where + ": expected a whole number from " + std::to_string(from) + " to below " +
                std::to_string(below) + ", found " + found);
  };
  if (!value.is_number_integer()) fail(value.is_number() ? "a fraction" : value.type_name());
  const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX};
  if (huge || value.get<std::int64_t>() < from || value.get<std::int64_t>() >= below) fail(value.dump());
  return value.get<std::int64_t>();
}

std::string object_of_texts(const std::map<std::string, std::string>& texts) {
  std::string out = "{";
  const char* separator = "";
  for (const auto& [name, value] : texts) {
    out += separator + quoted(name) + ": " + quoted(value);
    separator = ", ";
  }
  return out + "}";
}

std::map<std::string, std::string> texts_of(const Json& object, const std::string& where) {
  if (!object.is_object()) throw Error("plan: " + where + ": expected an object, found " + object.type_name());
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : object.items()) out[name] = text(value, where);
  return out;
}

PlanCut read_cut(const Json& json, std::size_t number) {
  std::string where = "cut " + std::to_string(number);
  if (!json.is_object()) throw Error("plan: " + where + ": expected an object, found " + json.type_name());
  PlanCut out;
  out.parameter = text(field(json, where, "parameter"), where + ": parameter");
  out.axis = static_cast<std::int32_t>(whole(field(json, where, "axis"), where + ": axis", 0, 64));
  out.length = whole(field(json, where, "length"), where + ": length", 1, INT64_MAX);
  const Json& kept = field(json, where, "kept");
  where += ": kept";
  if (!kept.is_array() || kept.empty()) throw Error("plan: " + where + ": expected a list of indices, found none");
  out.kept.reserve(kept.size());
  for (const Json& index : kept)
    out.kept.push_back(whole(index, where, out.kept.empty() ? 0 : out.kept.back() + 1, out.length));
  return out;
}

}  // namespace

std::string to_json(const Plan& plan) {
  std::string out = "{\n  \"format\": " + quoted(format_name) + ",\n  \"version\": " + std::to_string(Plan::version) +
                    ",\n  \"fingerprint\": " + quoted(plan.fingerprint);
  if (!plan.model.empty()) out += ",\n  \"model\": " + object_of_texts(plan.model);
  out += ",\n  \"options\": " + object_of_texts(plan.options) + ",\n  \"cuts\": [";
  const char* separator = "\n";
  for (const PlanCut& cut : plan.cuts) {
    out += separator;
    out += "    {\"parameter\": " + quoted(cut.parameter) + ", \"axis\": " + std::to_string(cut.axis) +
           ", \"length\": " + std::to_string(cut.length) + ", \"kept\": [";
    for (std::size_t i = 0; i < cut.kept.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(cut.kept[i]);
    out += "]}";
    separator = ",\n";
  }
  out += plan.cuts.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return out;
}

Plan parse_plan(std::string_view json) {
  const Json root = read(json);
  if (!root.is_object()) throw Error(std::string("plan: expected an object, found ") + root.type_name());
  const std::string format = text(field(root, "file", "format"), "format");
  if (format != format_name) throw Error(std::string("plan: expected format \"") + format_name + "\", found another");
  const std::int64_t version = whole(field(root, "file", "version"), "version", 1, INT64_MAX);
  if (version != Plan::version)
    throw Error("plan: expected version " + std::to_string(Plan::version) + ", found " + std::to_string(version));
  Plan out;
  out.fingerprint = text(field(root, "file", "fingerprint"), "fingerprint");
  if (root.contains("model")) out.model = texts_of(root["model"], "model");
  out.options = texts_of(field(root, "file", "options"), "options");
  const Json& cuts = field(root, "file", "cuts");
  if (!cuts.is_array()) throw Error(std::string("plan: cuts: expected a list, found ") + cuts.type_name());
  out.cuts.reserve(cuts.size());
  for (const Json& cut : cuts) out.cuts.push_back(read_cut(cut, out.cuts.size()));
  return out;
}

}  // namespace coppice::pruning
