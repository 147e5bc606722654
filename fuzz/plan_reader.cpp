// Any bytes either are refused with an Error or become a plan that survives writing and reading, and that a model
// accepts or refuses with an Error.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/pruning/plan.hpp"
#include "coppice/zoo/zoo.hpp"

namespace {
using coppice::pruning::Plan;

std::optional<Plan> read(std::string_view text) {
  try {
    return coppice::pruning::parse_plan(text);
  } catch (const coppice::Error&) {
    return std::nullopt;
  }
}

[[noreturn]] void broken(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const coppice::pruning::Prepared prepared = coppice::pruning::prepare(coppice::zoo::build("mlp"));
  std::optional<Plan> plan = read({reinterpret_cast<const char*>(data), size});
  if (!plan) return 0;
  const std::string first = coppice::pruning::to_json(*plan);
  const std::optional<Plan> again = read(first);
  if (!again) broken("what was written can't be read");
  if (coppice::pruning::to_json(*again) != first) broken("two writings of one plan differ");
  // The fingerprint is made to fit, so that the cuts themselves are checked.
  static const std::string print = coppice::pruning::fingerprint(prepared.model);
  plan->fingerprint = print;
  try {
    const auto removed = coppice::pruning::removed_units(prepared, *plan);
    const Plan made = coppice::pruning::make_plan(prepared, removed, plan->options);
    for (const auto& cut : made.cuts)
      if (cut.kept.empty()) broken("a plan was accepted that leaves nothing of an axis");
  } catch (const coppice::Error&) {
  }
  return 0;
}
