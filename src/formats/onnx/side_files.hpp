#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coppice/base/mapped_file.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::formats::onnx_detail {

/// The files beside a model that hold external tensors. Locations in a model are not trusted: they must stay inside the
/// model's folder, symbolic links followed.
class SideFiles {
 public:
  /// An empty folder refuses every location.
  explicit SideFiles(std::string folder) : folder_(std::move(folder)) {}

  /// `size` bytes (everything to the end, when absent) of the file at `location`. Each file is mapped once.
  /// The message of an Error has no prefix.
  tensor::Bytes read(const std::string& location, std::uint64_t offset, std::optional<std::uint64_t> size);

  /// Of all files opened so far.
  std::uint64_t total_bytes() const { return total_bytes_; }
  /// Sorted.
  std::vector<std::string> paths() const;

 private:
  const std::shared_ptr<const base::MappedFile>& open(const std::string& location);

  std::string folder_, canonical_folder_;
  std::unordered_map<std::string, std::shared_ptr<const base::MappedFile>> files_;
  std::uint64_t total_bytes_ = 0;
};

}  // namespace coppice::formats::onnx_detail
