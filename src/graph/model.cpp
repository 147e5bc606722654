#include "coppice/graph/model.hpp"

namespace coppice::graph {

std::int64_t Model::opset(std::string_view domain) const {
  if (domain == "ai.onnx") domain = {};
  for (const OpsetImport& import : opsets)
    if (import.domain == domain) return import.version;
  return 0;
}

}  // namespace coppice::graph
