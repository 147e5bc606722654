#include "formats/inflate.hpp"

#include <algorithm>
#include <string>

#include <zlib.h>

#include "coppice/base/error.hpp"

namespace coppice::formats {
namespace {

constexpr std::size_t most_at_once = std::size_t{1} << 30;  // zlib counts in unsigned int

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  std::span<const std::byte> rest;
  bool ended = false;

  // Runs until `out` is full or the stream ends; returns the bytes written.
  std::size_t run(std::span<std::byte> out) {
    std::size_t done = 0;
    while (done < out.size() && !ended) {
      const std::size_t room = std::min(out.size() - done, most_at_once);
      const std::size_t feed = std::min(rest.size(), most_at_once);
      z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest.data()));
      z.avail_in = static_cast<uInt>(feed);
      z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      z.avail_out = static_cast<uInt>(room);
      const int result = inflate(&z, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        throw Error(std::string("damaged compressed data: ") + (z.msg ? z.msg : "zlib refuses it"));
      const std::size_t taken = feed - z.avail_in, made = room - z.avail_out;
      rest = rest.subspan(taken);
      done += made;
      ended = result == Z_STREAM_END;
      if (!ended && taken == 0 && made == 0) throw Error("the compressed data ends too early");
    }
    return done;
  }
};

Inflater::Inflater(std::span<const std::byte> compressed, Wrapper wrapper) : stream_(std::make_unique<Stream>()) {
  stream_->rest = compressed;
  if (inflateInit2(&stream_->z, wrapper == Wrapper::gzip ? MAX_WBITS + 16 : -MAX_WBITS) != Z_OK)
    throw Error("zlib can't be started");
}

Inflater::~Inflater() {
  inflateEnd(&stream_->z);
}

void Inflater::read(std::span<std::byte> out) {
  const std::size_t done = stream_->run(out);
  if (done < out.size())
    throw Error("expected " + std::to_string(out.size()) + " more bytes, found " + std::to_string(done));
}

void Inflater::expect_end() {
  std::byte one;
  if (stream_->run({&one, 1}) != 0) throw Error("expected the end of the data, found more");
  if (!stream_->rest.empty())
    throw Error("expected the end of the file behind the compressed data, found " +
                std::to_string(stream_->rest.size()) + " bytes");
}

}  // namespace coppice::formats
