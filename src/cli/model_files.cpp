#include "cli/model_files.hpp"

#include "coppice/base/error.hpp"

#include "cli/output.hpp"

namespace coppice::cli {

void spare_side_files(const std::string& option, const std::string& path, bool beside, const std::string& source,
                      const graph::Model& model) {
  if (path.empty()) return;
  for (const std::string& side : model.side_files) {
    if (same_file(path, side) || (beside && same_file(path + ".data", side)))
      throw Error(option + " would overwrite " + side + ", which " + source + " keeps its tensors in");
  }
}

std::uint64_t written_bytes(const graph::Model& model, const std::string& path, std::uint64_t constant_bytes) {
  const std::uint64_t bytes = file_bytes(path);
  bool external = bytes < constant_bytes;
  for (const graph::Initializer& initializer : model.graph.initializers) external = external || initializer.external;
  return bytes + (external ? file_bytes(path + ".data") : 0);
}

}  // namespace coppice::cli
