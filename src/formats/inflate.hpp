#pragma once
#include <cstddef>
#include <memory>
#include <span>

namespace coppice::formats {

/// Bytes out of a deflate stream, a part at a time.
class Inflater {
 public:
  enum class Wrapper { none, gzip };

  /// `compressed` must outlive this.
  Inflater(std::span<const std::byte> compressed, Wrapper wrapper);
  ~Inflater();

  /// Fills `out`. Throws Error when the stream is damaged or ends before.
  void read(std::span<std::byte> out);
  /// Throws Error unless the stream, its checksum included, ends here, and the compressed bytes with it.
  void expect_end();

  /// An upper bound of what so many compressed bytes can hold: deflate needs at least a bit for a run of 258 bytes,
  /// and zlib's documentation tells 1032 as the best ratio.
  static std::size_t most_bytes(std::size_t compressed) {
    return compressed > (~std::size_t{0} >> 11) ? ~std::size_t{0} : compressed * 1032;
  }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace coppice::formats
