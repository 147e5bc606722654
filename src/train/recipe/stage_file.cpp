#include "train/recipe/stage_file.hpp"

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

#include "train/evaluation_json.hpp"

namespace coppice::recipe {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json to_json(const StageResult& stage) {
  Json out{{"stage", stage.stage}, {"held_out", coppice::to_json(stage.held_out)}};
  if (stage.test) out["test"] = coppice::to_json(*stage.test);
  out["parameters"] = stage.parameters;
  out["nonzero"] = stage.nonzero;
  out["macs"] = stage.macs;
  out["seconds"] = stage.seconds;
  out["history"] = Json::parse(stage.history.json());
  return out;
}

StageResult parse_stage(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    StageResult out;
    out.stage = json.at("stage").get<std::string>();
    out.held_out = evaluation_of(json.at("held_out"));
    if (json.contains("test")) out.test = evaluation_of(json.at("test"));
    out.parameters = json.at("parameters").get<std::int64_t>();
    out.nonzero = json.at("nonzero").get<std::int64_t>();
    out.macs = json.at("macs").get<double>();
    out.seconds = json.at("seconds").get<double>();
    out.history = History::parse(json.at("history").dump());
    return out;
  } catch (const Json::exception& error) {
    throw Error(std::string("expected the result of a stage, found something else: ") + error.what());
  }
}

void write_text(const std::string& path, const std::string& text) {
  base::AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string read_text(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return {reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()};
}

}  // namespace coppice::recipe
