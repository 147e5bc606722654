#include "cli/replay.hpp"

#include <algorithm>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

namespace coppice::cli {
namespace {

/// What the plan says of this option. What is missing had its default, unless the plan tells nothing of options at all.
std::optional<std::string> planned(const pruning::Plan& plan, const std::string& option, const std::string& fallback) {
  const auto found = plan.options.find(option);
  if (found != plan.options.end()) return found->second;
  return plan.options.empty() ? std::nullopt : std::optional(fallback);
}

void expect_same(const std::string& option, const std::string& given, const std::string& was) {
  if (!given.empty() && given != was)
    throw Error("made with " + (was.empty() ? "all outputs" : "--" + option + " " + was) + "; --" + option + " " +
                given + " contradicts it");
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ",").append(name);
  return out;
}

std::vector<std::string> split(std::string_view rest) {
  std::vector<std::string> out;
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find(','));
    out.emplace_back(name);
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
  }
  return out;
}

void look_as_planned(const pruning::Plan& plan, const PruneArguments& arguments, pruning::PrepareOptions& options) {
  if (const auto attention = planned(plan, "attention", "heads")) {
    options.coupling.attention = parse_attention(*attention);
    expect_same("attention", arguments.attention, *attention);
  }
  if (const auto grouped = planned(plan, "grouped-conv", "channels")) {
    options.coupling.whole_groups = parse_grouped(*grouped) == Grouped::groups;
    expect_same("grouped-conv", arguments.grouped, *grouped);
  }
  if (const auto outputs = planned(plan, "outputs", "")) {
    expect_same("outputs", joined(options.outputs), *outputs);
    options.outputs = split(*outputs);
  }
}

}  // namespace

void read_replay(PruneArguments& arguments) {
  const auto file = base::MappedFile::open(arguments.plan);
  const auto bytes = file->bytes();
  try {
    arguments.options.plan = pruning::parse_plan({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    look_as_planned(*arguments.options.plan, arguments, arguments.options.prepare);
  } catch (const Error& error) {
    throw Error(arguments.plan + ": " + error.what());
  }
}

}  // namespace coppice::cli
