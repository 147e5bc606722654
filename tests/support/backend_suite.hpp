#pragma once
#include <map>
#include <string>
#include <vector>

/// ONNX's own backend tests (Debian's libonnx-testdata), run by GraphModule.
namespace coppice::backend {

struct Result {
  std::string name;     ///< "node/test_abs".
  std::string group;    ///< The operator that a node test is about; the folder of the others.
  std::string problem;  ///< Empty when every data set gives the expected outputs.
};

/// Where the package puts them.
inline constexpr const char* default_folder = "/usr/share/libonnx-testdata/data";

bool is_installed();

/// All cases that have a model, by name.
std::vector<Result> run_all();

/// Case to reason. The file has sections "[reason]", each with one case a line; lines that start with # are comments.
/// Throws Error on a case that is named twice or has no reason.
std::map<std::string, std::string> read_exceptions(const std::string& path);

/// The page docs/backend.md.
std::string page(const std::vector<Result>& results, const std::map<std::string, std::string>& exceptions);

}  // namespace coppice::backend
