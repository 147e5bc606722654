#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "coppice/base/atomic_file.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::formats::onnx_detail {

/// What goes where in the side file of a model.
class SidePlan {
 public:
  /// `location` is the side file's name as the model gives it. With `large`, inner tensors of large_from bytes or more
  /// are external too.
  SidePlan(std::string location, bool large) : location_(std::move(location)), large_(large) {}

  static constexpr std::size_t large_from = 1024;

  bool takes(const tensor::Tensor& tensor, bool external, bool initializer) const;
  /// Offset of the bytes in the file. Tensors that share their bytes share the place.
  std::uint64_t add(const tensor::Bytes& bytes);

  const std::string& location() const { return location_; }
  bool empty() const { return pieces_.empty(); }
  /// Calls written() now and then, with the bytes written so far.
  void write(base::AtomicFile& file, const std::function<void(std::uint64_t)>& written) const;
  std::uint64_t size() const { return end_; }

 private:
  struct Piece {
    std::uint64_t offset;
    tensor::Bytes bytes;
  };
  std::string location_;
  bool large_;
  std::vector<Piece> pieces_;
  std::map<std::pair<const void*, std::size_t>, std::uint64_t> known_;
  std::uint64_t end_ = 0;
};

}  // namespace coppice::formats::onnx_detail
