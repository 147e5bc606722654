#include "support/ort_referee.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "support/child_process.hpp"

namespace coppice::test {
namespace {

using nlohmann::json;

std::string job_line(const std::vector<std::string>& paths, const RefereeOptions& options) {
  json shapes = json::object(), ranges = json::object();
  for (const auto& [name, shape] : options.shapes) shapes[name] = shape;
  for (const auto& [name, range] : options.ranges) ranges[name] = {range.first, range.second};
  return json{
      {"models", paths},    {"seed", options.seed},         {"shapes", shapes},           {"ranges", ranges},
      {"dim", options.dim}, {"optimise", options.optimise}, {"threads", options.threads}, {"repeat", options.repeat}}
      .dump();
}

// JSON has no NaN or infinity: they arrive as null.
double number(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : HUGE_VAL;
}

RunReport parse_run(const json& answer) {
  RunReport run;
  run.ok = answer.value("ok", false);
  run.error = answer.value("error", "");
  run.ms = answer.contains("ms") ? number(answer, "ms") : 0;
  if (!run.ok) return run;
  for (const json& output : answer.at("outputs")) {
    OutputReport report;
    report.name = output.value("name", "");
    report.type = output.value("type", "");
    report.shape = output.value("shape", std::vector<std::int64_t>{});
    report.max_abs = number(output, "max_abs");
    report.max_diff = number(output, "max_diff");
    report.rel = number(output, "rel");
    report.finite = output.value("finite", false);
    run.outputs.push_back(std::move(report));
  }
  return run;
}

std::vector<RunReport> all_failed(std::size_t count, const std::string& error) {
  RunReport failed;
  failed.error = error;
  return std::vector<RunReport>(count, failed);
}

}  // namespace

class Referee::Process : public ChildProcess {
 public:
  using ChildProcess::ChildProcess;
};

std::string node_modules() {
  const char* folder = std::getenv("COPPICE_NODE_MODULES");
  return folder && *folder ? folder : COPPICE_DEFAULT_NODE_MODULES;
}

bool referee_required() {
  const char* required = std::getenv("COPPICE_REQUIRE_REFEREE");
  return required && *required && std::string(required) != "0";
}

const OutputReport* RunReport::find(const std::string& name) const {
  for (const OutputReport& output : outputs)
    if (output.name == name) return &output;
  return nullptr;
}

Referee::Referee() {
  if (!std::filesystem::exists(node_modules() + "/onnxruntime-node/package.json"))
    missing_ = "onnxruntime-node is not in " + node_modules() + " (scripts/npm_deps puts it there)";
  else if (std::string(COPPICE_NODE).empty())
    missing_ = "node was not found when CMake ran";
}

Referee::~Referee() = default;

Referee& Referee::shared() {
  static Referee referee;
  return referee;
}

std::vector<RunReport> Referee::run(const std::vector<std::string>& paths, const RefereeOptions& options) {
  if (!missing_.empty()) return all_failed(paths.size(), missing_);
  if (!process_) {
    process_ =
        std::make_unique<Process>(std::vector<std::string>{COPPICE_NODE, COPPICE_REFEREE_SCRIPT, node_modules()});
  }
  constexpr int patience_seconds = 300;
  const std::optional<std::string> line = process_->ask(job_line(paths, options), patience_seconds);
  if (!line) {
    process_.reset();
    return all_failed(paths.size(), "ONNX Runtime's process died or hung");
  }
  const json answer = json::parse(*line, nullptr, false);
  if (answer.is_discarded() || answer.value("runs", json::array()).size() != paths.size())
    return all_failed(paths.size(), "unexpected answer: " + *line);
  std::vector<RunReport> runs;
  for (const json& run : answer["runs"]) runs.push_back(parse_run(run));
  return runs;
}

Comparison Referee::compare(const std::string& a, const std::string& b, const RefereeOptions& options) {
  const std::vector<RunReport> runs = run({a, b}, options);
  return judge(runs[0], runs[1]);
}

Comparison judge(const RunReport& a, const RunReport& b) {
  Comparison result;
  if (!a.ok || !b.ok) {
    result.error = a.ok ? "second file: " + b.error : "first file: " + a.error;
    return result;
  }
  if (a.outputs.empty()) result.error = "no output";
  result.scale = HUGE_VAL;
  for (const OutputReport& output : b.outputs)
    if (!a.find(output.name)) result.error = "output \"" + output.name + "\" is only in the second file";
  for (const OutputReport& output : a.outputs) {
    const OutputReport* other = b.find(output.name);
    if (!other) {
      result.error = "output \"" + output.name + "\" is only in the first file";
      continue;
    }
    if (other->shape != output.shape || other->type != output.type)
      result.error = "output \"" + output.name + "\" has another shape or type";
    else if (!other->finite)
      result.error = "output \"" + output.name + "\" holds NaN or infinity";
    result.rel_err = std::max(result.rel_err, other->rel);
    result.scale = std::min(result.scale, other->max_abs);
  }
  result.ran = result.error.empty();
  return result;
}

}  // namespace coppice::test
