#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "coppice/base/progress.hpp"
#include "coppice/formats/safetensors_set.hpp"
#include "coppice/graph/model.hpp"

/// Files in which zeros take one bit: safetensors, in which a weight NAME that becomes smaller so stands as
///
///     NAME.compressed   its filled elements in memory order (see tensor/filled.hpp), [filled]
///     NAME.bitmask      U8, one bit an element, [rows, (columns + 7) / 8]: see tensor::write_bitmask()
///     NAME.shape        I64
///     NAME.row_offsets  I64, how many filled elements stand before each row, [rows]
///
/// and everything else as it is. Of matrices this is the layout "sparse-bitmask" of the compressed-tensors project
/// (https://github.com/neuralmagic/compressed-tensors); tensors of other ranks are the matrix that tensor::rows_of()
/// says. What comes back is the same bit for bit.
///
/// Packed checkpoints keep the header of each file (and of several the index) as texts of the metadata,
/// "coppice.header" and "coppice.index", beside "coppice" = "packed 1" and the original's own; packed models keep the
/// ONNX graph without its larger weights as the tensor "coppice.graph", and "coppice" = "packed-onnx 1".
namespace coppice::formats {

enum class Packed {
  no,
  checkpoint,
  model,
};
/// What a safetensors file, the first of a set, says of itself.
Packed packed_kind(const SafetensorsFile& file);

struct PackReport {
  std::size_t tensors = 0, packed = 0;              ///< All that stand apart, and those whose zeros were left out.
  std::uint64_t bytes_before = 0, bytes_after = 0;  ///< Of the files.
};

/// Writes a checkpoint packed: a single file to a file, a sharded one to a folder, with memory for the largest weight.
/// Without a target only counts. Throws Error, also for what is packed already; the target is then as it was.
PackReport pack_checkpoint(const SafetensorsSet& set, const std::string& target, base::Progress* progress = nullptr);

/// Counts what would be written of a checkpoint with other bytes, as they come to be.
class PackCounter {
 public:
  /// `like` stays the caller's.
  explicit PackCounter(const SafetensorsSet& like);
  ~PackCounter();
  PackCounter(const PackCounter&) = delete;
  PackCounter& operator=(const PackCounter&) = delete;
  /// The bytes that an entry is to have; it counts whole when nothing is said of it.
  void add(std::size_t shard, std::size_t entry, const tensor::Bytes& bytes);
  std::uint64_t bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The opposite: the files that were packed, byte for byte. Throws Error where the parts do not fit each other, or
/// something is missing or left over; the target is then as it was.
PackReport unpack_checkpoint(const SafetensorsSet& packed, const std::string& target,
                             base::Progress* progress = nullptr);

/// Writes a model packed, or without a target only counts. Weights of subgraphs stay in the graph. Throws Error.
PackReport pack_model(const graph::Model& model, const std::string& target, base::Progress* progress = nullptr);

/// The model that was packed, to be written with write_onnx(). Its weights are expanded when they are touched, which
/// then may throw Error. Of the report the numbers of tensors are filled in. Throws Error for what is no packed model.
graph::Model unpack_model(const SafetensorsFile& packed, PackReport* report = nullptr);

}  // namespace coppice::formats
