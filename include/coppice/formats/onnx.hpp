#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "coppice/base/progress.hpp"
#include "coppice/formats/named_tensor.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/tensor/tensor.hpp"

/// Reading and writing of ONNX files (ModelProto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
///
/// A read model refers to the mapped file: tensors cost nothing until they are touched, and the bytes live as long as
/// some Tensor uses them. Everything that the graph IR does not model (metadata, documentation, training information,
/// fields of newer versions) is carried in the `extra` strings and written back.
///
/// What reading brings to one form: domain "ai.onnx" becomes ""; numbers in typed fields (float_data, int32_data...)
/// become raw bytes, and are written as raw_data; the short forms of Constant (value_int...) become `value`; nodes are
/// put in topological order; a value_info entry for a value that does not exist is dropped by the writer; checksums of
/// side files are dropped. A sparse initializer becomes an ordinary one behind the others, made dense when it is
/// touched; one of strings or 4-bit numbers is carried along, and its value marked `captured`.
namespace coppice::formats {

/// Reads, sorts and checks a model, its subgraphs and its functions. Side files of external tensors must lie in the
/// folder of `path` or below it. Throws Error, which begins with `path`.
graph::Model read_onnx(const std::string& path);

/// The same from memory. `name` stands for the file in messages, and becomes Model::source. `folder` is where side
/// files are looked for; when it is empty, external tensors are refused.
graph::Model read_onnx(tensor::Bytes bytes, const std::string& name, const std::string& folder = {});

/// Reads one serialised TensorProto, as ONNX's test data and other tools keep one a file (.pb). Side files are refused.
/// Throws Error, which begins with `path`.
NamedTensor read_tensor_proto(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
NamedTensor read_tensor_proto(tensor::Bytes bytes, const std::string& name);

/// How constants are stored.
enum class Encoding {
  dense,
  /// Where that is smaller, as sparse_initializer: the values that are not +0, bit for bit, and an int64 place for
  /// each. Constants of real numbers of the main graph; they are inside the model, whatever WriteOptions::external
  /// says.
  sparse_initializer,
};
std::string_view to_string(Encoding encoding);
Encoding parse_encoding(std::string_view text);
/// Whether that encoding would store this initializer as sparse. One pass over its bytes.
bool smaller_sparse(const tensor::Tensor& tensor);

struct WriteOptions {
  enum class External {
    keep,   ///< Tensors with Initializer::external go to the side file, the others into the model.
    none,   ///< Everything goes into the model.
    large,  ///< As keep, and every other initializer of 1024 bytes or more goes to the side file too.
  };
  /// A model file of 2 GiB or more can't be read by protobuf, so from there on `keep` acts as `large`.
  External external = External::keep;
  /// Sparse ones need version 6 of the format, to which an older model is raised; initializers that version 3 and
  /// older had to list as inputs are then no longer listed.
  Encoding encoding = Encoding::dense;
  base::Progress* progress = nullptr;  ///< Told of the bytes written, as the phase "write".
};

/// Writes the model to `path` and, where tensors are external, to `path` + ".data" beside it. Both files are complete
/// before either is renamed into place; on failure the old ones stay. Reading from and writing to the same path is
/// fine. Throws Error.
void write_onnx(const graph::Model& model, const std::string& path, const WriteOptions& options = {});

/// The same in two moves, so that several files change together or not at all: complete under temporary names when
/// made, in place after commit(). Destroyed without commit(), it leaves nothing.
class StagedModel {
 public:
  StagedModel(const graph::Model& model, const std::string& path, const WriteOptions& options = {});
  ~StagedModel();
  StagedModel(StagedModel&&) noexcept;
  void commit();

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

/// Bytes of the files that write_onnx() would write.
std::uint64_t onnx_bytes(const graph::Model& model, const std::string& path, const WriteOptions& options = {});

/// The file as a string, with all tensors inside.
std::string write_onnx_bytes(const graph::Model& model, Encoding encoding = Encoding::dense);

}  // namespace coppice::formats
