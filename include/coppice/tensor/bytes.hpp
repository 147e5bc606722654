#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace coppice::tensor {

/// What bytes lie in. Streamed ones are part of a mapped file that may be larger than memory: whoever goes through them
/// gives their pages back on the way.
enum class Residence : std::uint8_t { heap, mapped, streamed };

/// Immutable bytes with shared ownership: a heap block, a part of one, a part of a mapped file, or bytes that are made
/// when they are first asked for.
class Bytes {
 public:
  Bytes() = default;
  /// The bytes stay valid as long as `owner` lives. All but `heap` must be part of a base::MappedFile.
  Bytes(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, Residence residence = Residence::heap)
      : owner_(std::move(owner)), bytes_(bytes), residence_(residence) {}
  static Bytes copy(std::span<const std::byte> bytes);
  /// The `size` bytes that make() returns. It is called once, by the first reader, and the result is kept; readers
  /// may be threads. What make() throws, the reader throws.
  static Bytes later(std::size_t size, std::function<Bytes()> make);

  std::span<const std::byte> span() const { return later_ ? made() : bytes_; }
  const std::byte* data() const { return span().data(); }
  std::size_t size() const { return bytes_.size(); }
  Bytes slice(std::size_t offset, std::size_t size) const;
  /// Whether they lie in a mapped file, streamed or not.
  bool mapped() const { return residence_ != Residence::heap; }
  bool streamed() const { return residence_ == Residence::streamed; }

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
  Residence residence_ = Residence::heap;
};

/// Has streamed bytes, which will soon be read, come into memory meanwhile; nothing for other bytes.
void prefetch(const Bytes& bytes);

/// Gives the memory of streamed bytes back until they are read again; nothing for other bytes.
void give_back(const Bytes& bytes);

}  // namespace coppice::tensor
