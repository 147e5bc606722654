#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

struct OpsetImport {
  std::string domain;  ///< "" is ONNX's default domain.
  std::int64_t version = 0;
};

/// A model-local function.
struct Function {
  std::string name, domain, overload;
  std::vector<std::string> inputs, outputs;
  std::vector<std::string> attributes;  ///< Attributes without a default.
  std::vector<Attribute> attribute_defaults;
  Graph body;  ///< Its inputs and outputs are those named above.
  std::vector<OpsetImport> opsets;
  std::string extra;
};

struct Model {
  Graph graph;
  std::int64_t ir_version = 0;
  std::vector<OpsetImport> opsets;
  std::vector<Function> functions;
  std::string producer_name, producer_version;
  std::string extra;                    ///< Opaque rest: metadata, training information, unknown fields.
  std::string source;                   ///< Path the model was read from; empty when built in memory.
  std::uint64_t source_bytes = 0;       ///< Size of the file(s) it was read from, side files included.
  std::vector<std::string> side_files;  ///< Paths of the side files it was read from.

  /// Version of the operator set of a domain; 0 when the model does not import it.
  std::int64_t opset(std::string_view domain = {}) const;
};

}  // namespace coppice::graph
