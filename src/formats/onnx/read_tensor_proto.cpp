#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/onnx/reader.hpp"

namespace coppice::formats {
namespace {
using namespace onnx_detail;

NamedTensor read(const tensor::Bytes& bytes) {
  ReadContext context{{}, SideFiles({})};
  onnx::TensorProto proto;
  if (!parse_message(lift_blobs(bytes, Kind::tensor, context.blobs), proto)) throw Error("damaged");
  NamedTensor out;
  out.name = proto.name();
  out.tensor = read_tensor(proto, {"tensor", out.name}, context).tensor;
  return out;
}

}  // namespace

NamedTensor read_tensor_proto(tensor::Bytes bytes, const std::string& name) {
  try {
    return read(bytes);
  } catch (const Error& error) {
    throw Error(name + ": expected an ONNX tensor: " + error.what());
  }
}

NamedTensor read_tensor_proto(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return read_tensor_proto(tensor::Bytes(file, file->bytes(), tensor::Residence::mapped), path);
}

}  // namespace coppice::formats
