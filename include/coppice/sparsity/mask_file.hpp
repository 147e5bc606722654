#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/formats/safetensors.hpp"
#include "coppice/sparsity/sparsifier.hpp"

/// Masks as a safetensors file: for each weight a tensor of its name, type U8, of one bit a weight (bit i % 8 of byte
/// i / 8, 1 for stays, 0 behind the last); the metadata holds "coppice" = "masks 1" and "shape of NAME" = "64x3x7x7".
namespace coppice::sparsity {

/// Writes them one after the other, with memory for one. Destroyed without commit(), it leaves the target as it was.
class MaskWriter {
 public:
  /// `sites` have names and shapes, in the order in which the masks come. Throws Error.
  MaskWriter(const std::vector<Site>& sites, const std::string& path);

  /// The next mask. Throws Error for one of another size, and when there are more than sites.
  void write(const tensor::Mask& mask);
  /// Completes the file under a temporary name. Throws Error when masks are missing.
  void finish() { writer_->finish(); }
  /// finish() and rename onto the target.
  void commit() { writer_->commit(); }

 private:
  std::vector<Site> sites_;
  std::optional<formats::SafetensorsWriter> writer_;
  std::size_t written_ = 0;
};

/// Such a file, open: masks are read when they are asked for.
class MaskFile {
 public:
  /// Throws Error, which begins with `path`, when the file is no such file or has no masks, or a mask does not have
  /// as many bits as its shape says.
  explicit MaskFile(const std::string& path);

  std::size_t size() const { return sites_.size(); }
  /// Of each site only name, layer (the same) and shape are set.
  const Site& site(std::size_t i) const { return sites_[i]; }
  /// The place of the mask of a weight; none when there is none.
  std::optional<std::size_t> find(std::string_view name) const { return file_.find(name); }
  /// Throws Error for bits behind the last.
  tensor::Mask mask(std::size_t i) const;

 private:
  formats::SafetensorsFile file_;
  std::vector<Site> sites_;
};

/// All of them at once. Throw Error as these do.
void write_masks(std::span<const LayerMask> masks, const std::string& path);
std::vector<LayerMask> read_masks(const std::string& path);

}  // namespace coppice::sparsity
