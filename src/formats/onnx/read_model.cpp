#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/onnx/reader.hpp"
#include "formats/onnx/sniff.hpp"
#include "formats/onnx/wire.hpp"

namespace coppice::formats {
namespace {
using namespace onnx_detail;

constexpr std::int64_t first_version_with_opsets = 3;
// Times the size of the file that its sparse initializers may have when dense, beyond ReadContext's allowance.
constexpr std::uint64_t most_growth = 1024;

graph::Model convert(onnx::ModelProto& proto, ReadContext& context) {
  graph::Model out;
  out.ir_version = proto.ir_version();
  out.producer_name = std::move(*proto.mutable_producer_name());
  out.producer_version = std::move(*proto.mutable_producer_version());
  for (const onnx::OperatorSetIdProto& import : proto.opset_import())
    out.opsets.push_back({normal_domain(import.domain()), import.version()});
  out.graph = read_graph(*proto.mutable_graph(), context);
  for (onnx::FunctionProto& function : *proto.mutable_functions())
    out.functions.push_back(read_function(function, context));
  proto.clear_ir_version();
  proto.clear_producer_name();
  proto.clear_producer_version();
  proto.clear_opset_import();
  proto.clear_graph();
  proto.clear_functions();
  out.extra = remains(proto, Kind::model, context);
  finish_graph(out.graph);
  for (graph::Function& function : out.functions) finish_graph(function.body);
  return out;
}

graph::Model read(const tensor::Bytes& bytes, const std::string& folder) {
  const auto reject = [&](const std::string& problem) -> Error {
    const std::string guess = looks_like(bytes.span());
    return Error(guess.empty() ? "expected an ONNX model: " + problem : "expected an ONNX model, found " + guess);
  };
  ReadContext context{{}, SideFiles(folder)};
  context.sparse_room += bytes.size() * most_growth;
  onnx::ModelProto proto;
  try {
    if (!parse_message(lift_blobs(bytes, Kind::model, context.blobs), proto)) throw Error("damaged");
  } catch (const Error& error) {
    throw reject(error.what());
  }
  if (!proto.has_graph()) throw reject("there is no graph in it");
  // Graph and imports are neighbours in a file: without imports it was probably cut off between them.
  if (proto.ir_version() >= first_version_with_opsets && proto.opset_import_size() == 0)
    throw reject("it imports no operator set");
  graph::Model out = convert(proto, context);
  out.source_bytes = bytes.size() + context.side_files.total_bytes();
  out.side_files = context.side_files.paths();
  return out;
}

}  // namespace

graph::Model read_onnx(tensor::Bytes bytes, const std::string& name, const std::string& folder) {
  try {
    graph::Model out = read(bytes, folder);
    out.source = name;
    return out;
  } catch (const Error& error) {
    throw Error(name + ": " + error.what());
  }
}

graph::Model read_onnx(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return read_onnx(tensor::Bytes(file, file->bytes(), tensor::Residence::mapped), path, folder.empty() ? "." : folder);
}

}  // namespace coppice::formats
