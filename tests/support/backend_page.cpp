#include <fstream>
#include <sstream>

#include "coppice/base/error.hpp"

#include "support/backend_suite.hpp"

namespace coppice::backend {

std::map<std::string, std::string> read_exceptions(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(path + ": can't be read");
  std::map<std::string, std::string> out;
  std::string reason;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line.front() == '[' && line.back() == ']') {
      reason = line.substr(1, line.size() - 2);
    } else if (reason.empty() || !out.emplace(line, reason).second) {
      throw Error(path + ": expected a case with a reason, and once, found \"" + line + "\"");
    }
  }
  return out;
}

std::string page(const std::vector<Result>& results, const std::map<std::string, std::string>& exceptions) {
  struct Count {
    int passed = 0, total = 0;
  };
  std::map<std::string, Count> groups;
  std::map<std::string, std::vector<std::string>> reasons;
  Count all;
  for (const Result& result : results) {
    Count& group = groups[result.group];
    for (Count* count : {&group, &all}) {
      count->passed += result.problem.empty();
      ++count->total;
    }
    if (const auto it = exceptions.find(result.name); it != exceptions.end()) reasons[it->second].push_back(it->first);
  }
  std::ostringstream out;
  out << "# ONNX's backend tests\n\n"
         "This page is written by `build/release/backend > docs/backend.md`; a test fails when it is out of date.\n\n"
         "`GraphModule` runs the test suite that ONNX keeps for those who implement its operators, as Debian 12 packs\n"
         "it (`libonnx-testdata`: ONNX 1.12, operator set 17): models with inputs and expected outputs. A case passes "
         "when every\n"
         "output has the expected element type (unsigned ones that libtorch lacks: the wider one) and shape, whole\n"
         "numbers and booleans are equal, and real numbers are within 0.001 of the expected value, relatively, as in\n"
         "ONNX's own runner. The nine models that the suite downloads are left out.\n\n"
      << "**" << all.passed << " of " << all.total << " cases pass.** The others are listed below with the reason; a "
      << "test fails when\na case that is not listed fails, and when one that is listed passes.\n\n"
      << "| operator, or folder | passed | cases |\n|---|---|---|\n";
  for (const auto& [name, count] : groups)
    out << "| " << name << " | " << count.passed << " | " << count.total << " |\n";
  out << "\n## Cases that do not pass\n";
  for (const auto& [reason, names] : reasons) {
    out << "\n### " << reason << "\n\n";
    for (const std::string& name : names) out << "- " << name << "\n";
  }
  return out.str();
}

}  // namespace coppice::backend
