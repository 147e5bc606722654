#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// ONNX Runtime as the judge of two files: both run on the same seeded inputs, and their outputs are compared.
namespace coppice::test {

struct RefereeOptions {
  std::map<std::string, std::vector<std::int64_t>> shapes;  ///< Extents by input; a dynamic input needs one.
  std::map<std::string, std::pair<std::int64_t, std::int64_t>>
      ranges;  ///< [low, high) by input: token ids and the like.
  std::uint32_t seed = 1;
  std::int64_t dim = 1;  ///< For dynamic extents that `shapes` does not name (batch 1, image channels 3).
  bool optimise = true;  ///< ONNX Runtime's fusions reject a few valid graphs; off runs the nodes as they stand.
  int threads = 1;
  int repeat = 0;  ///< Timed runs; 0 leaves RunReport::ms at 0.
};

struct OutputReport {
  std::string name, type;
  std::vector<std::int64_t> shape;
  double max_abs = 0;   ///< Largest |value| of the first file's output.
  double max_diff = 0;  ///< Largest |difference| from the first file's output.
  double rel = 0;       ///< max_diff / (max_abs + 1e-12).
  bool finite = true;   ///< No NaN or infinity on either side, and equally many elements.
};

struct RunReport {
  bool ok = false;
  std::string error;
  std::vector<OutputReport> outputs;
  double ms = 0;  ///< Median of the timed runs.
  const OutputReport* find(const std::string& name) const;
};

/// The second file against the first.
struct Comparison {
  bool ran = false;    ///< Both files ran, with the same output names, and every number is finite.
  std::string error;   ///< Why not.
  double rel_err = 0;  ///< Worst over the outputs.
  double scale = 0;    ///< Smallest max_abs over the outputs: 0 means a dead output, whose comparison says nothing.
};

/// One Node process that answers any number of jobs. It starts with the first job, and again after it died.
class Referee {
 public:
  Referee();
  ~Referee();
  Referee(const Referee&) = delete;
  Referee& operator=(const Referee&) = delete;

  /// Empty when ONNX Runtime is at hand, else the reason why it is not.
  const std::string& missing() const { return missing_; }

  /// Runs each file; every run but the first is compared with the first.
  std::vector<RunReport> run(const std::vector<std::string>& paths, const RefereeOptions& options = {});
  Comparison compare(const std::string& a, const std::string& b, const RefereeOptions& options = {});

  /// The process of this test program.
  static Referee& shared();

 private:
  class Process;
  std::string missing_;
  std::unique_ptr<Process> process_;
};

/// The second run against the first, as Referee::compare.
Comparison judge(const RunReport& a, const RunReport& b);

/// Folder with the npm packages: the environment's COPPICE_NODE_MODULES, else what CMake was told.
std::string node_modules();

/// Under scripts/test ONNX Runtime was installed, so that a missing one is a failure and not a reason to skip.
bool referee_required();

}  // namespace coppice::test

/// Leaves the test when ONNX Runtime is missing: skipped, or failed where it is required.
#define COPPICE_NEEDS_REFEREE()                                             \
  do {                                                                      \
    const std::string& why = ::coppice::test::Referee::shared().missing();  \
    if (!why.empty() && ::coppice::test::referee_required()) FAIL() << why; \
    if (!why.empty()) GTEST_SKIP() << why;                                  \
  } while (false)
