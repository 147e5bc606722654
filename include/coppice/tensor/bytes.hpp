#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace coppice::tensor {

/// Immutable bytes with shared ownership: a heap block, a part of one, a part of a mapped file, or bytes that are made
/// when they are first asked for.
class Bytes {
 public:
  Bytes() = default;
  /// The bytes stay valid as long as `owner` lives.
  /// `mapped`: they are part of a base::MappedFile that may be larger than memory; whoever goes through them gives
  /// their pages back on the way, see give_back().
  Bytes(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, bool mapped = false)
      : owner_(std::move(owner)), bytes_(bytes), mapped_(mapped) {}
  static Bytes copy(std::span<const std::byte> bytes);
  /// The `size` bytes that make() returns. It is called once, by the first reader, and the result is kept; readers
  /// may be threads. What make() throws, the reader throws.
  static Bytes later(std::size_t size, std::function<Bytes()> make);

  std::span<const std::byte> span() const { return later_ ? made() : bytes_; }
  const std::byte* data() const { return span().data(); }
  std::size_t size() const { return bytes_.size(); }
  Bytes slice(std::size_t offset, std::size_t size) const;
  bool mapped() const { return mapped_; }

  /// These bytes; where they wait to be made, made for the caller alone and not kept.
  Bytes now() const;
  /// Whether both are the same bytes at the same place, or wait to be made by the same call.
  bool same_place(const Bytes& other) const { return place() == other.place() && size() == other.size(); }
  /// Differs between bytes that are not at the same place; compare and hash it only.
  const void* place() const { return later_ ? static_cast<const void*>(later_.get()) : bytes_.data(); }
  /// Whether both lie in one block or mapped file.
  bool same_owner(const Bytes& other) const { return owner_ == other.owner_; }

 private:
  struct Later;
  std::span<const std::byte> made() const;

  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<Later> later_;
  bool mapped_ = false;
};

/// Gives the memory of a mapped file's bytes back until they are read again; nothing for other bytes.
void give_back(const Bytes& bytes);

}  // namespace coppice::tensor
