#include "formats/onnx/skeleton.hpp"

#include <array>
#include <cstring>

#include "coppice/base/error.hpp"

#include "formats/onnx/wire.hpp"

namespace coppice::formats::onnx_detail {
namespace {

// Three levels a subgraph (node, attribute, graph). Protobuf's own limit is set above this one.
constexpr int max_depth = 100;
constexpr std::size_t skeleton_limit = std::size_t{1} << 31;
// Lengths are patched in after a message is done, so they are written in a form of fixed width.
constexpr std::size_t length_width = 5;

struct Edge {
  Kind parent;
  std::uint32_t field;
  Kind child;
};
// Every path that leads to a TensorProto, by field numbers of onnx.proto.
constexpr std::array edges = {
    Edge{Kind::model, 7, Kind::graph},
    Edge{Kind::model, 20, Kind::training},
    Edge{Kind::model, 25, Kind::function},
    Edge{Kind::training, 1, Kind::graph},
    Edge{Kind::training, 2, Kind::graph},
    Edge{Kind::function, 7, Kind::node},
    Edge{Kind::function, 11, Kind::attribute},
    Edge{Kind::graph, 1, Kind::node},
    Edge{Kind::graph, 5, Kind::tensor},
    Edge{Kind::graph, 15, Kind::sparse_tensor},
    Edge{Kind::node, 5, Kind::attribute},
    Edge{Kind::attribute, 5, Kind::tensor},
    Edge{Kind::attribute, 10, Kind::tensor},
    Edge{Kind::attribute, 6, Kind::graph},
    Edge{Kind::attribute, 11, Kind::graph},
    Edge{Kind::attribute, 22, Kind::sparse_tensor},
    Edge{Kind::attribute, 23, Kind::sparse_tensor},
    Edge{Kind::sparse_tensor, 1, Kind::tensor},
    Edge{Kind::sparse_tensor, 2, Kind::tensor},
    Edge{Kind::tensor, 9, Kind::raw_data},
};

Kind child_kind(Kind parent, const Field& field) {
  if (field.type != WireType::length) return Kind::opaque;
  for (const Edge& edge : edges)
    if (edge.parent == parent && edge.field == field.number) return edge.child;
  return Kind::opaque;
}

std::span<const std::byte> tag_of(const Field& field) {
  std::size_t size = 0;
  while ((field.whole[size++] & std::byte{0x80}) != std::byte{0}) {
  }
  return field.whole.first(size);
}

class Lifter {
 public:
  Lifter(const tensor::Bytes& file, Blobs& blobs) : file_(file), blobs_(blobs) {}

  void message(std::span<const std::byte> bytes, Kind kind, int depth) {
    if (depth > max_depth) throw Error("messages are nested more than " + std::to_string(max_depth) + " deep");
    FieldCursor cursor(bytes, file_.data());
    for (Field field; cursor.next(field);) {
      const Kind child = child_kind(kind, field);
      if (child == Kind::opaque) {
        out_.append(text_of(field.whole));
      } else if (child == Kind::raw_data) {
        out_.append(text_of(tag_of(field)));
        append_varint(out_, 8);
        const auto offset = static_cast<std::size_t>(field.payload.data() - file_.data());
        out_.append(add_blob(blobs_, file_.slice(offset, field.payload.size())));
      } else {
        out_.append(text_of(tag_of(field)));
        const std::size_t length_at = out_.size();
        out_.append(length_width, '\0');
        message(field.payload, child, depth + 1);
        patch_length(length_at, out_.size() - length_at - length_width);
      }
      if (out_.size() >= skeleton_limit) throw Error("more than 2 GiB besides the raw data of tensors");
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void patch_length(std::size_t at, std::size_t length) {
    for (std::size_t i = 0; i < length_width; ++i, length >>= 7)
      out_[at + i] = static_cast<char>((length & 0x7fu) | (i + 1 < length_width ? 0x80u : 0u));
  }

  const tensor::Bytes& file_;
  Blobs& blobs_;
  std::string out_;
};

/// Two passes in the same order: the first notes the size of every nested message, the second writes.
class Splicer {
 public:
  explicit Splicer(const Blobs& blobs) : blobs_(blobs) {}

  std::uint64_t measure(std::span<const std::byte> message, Kind kind) {
    std::uint64_t total = 0;
    FieldCursor cursor(message, message.data());
    for (Field field; cursor.next(field);) {
      const Kind child = child_kind(kind, field);
      if (child == Kind::opaque) {
        total += field.whole.size();
        continue;
      }
      std::uint64_t size;
      if (child == Kind::raw_data) {
        size = blobs_[blob_at(text_of(field.payload), blobs_)].size();
      } else {
        const std::size_t slot = sizes_.size();
        sizes_.push_back(0);
        size = measure(field.payload, child);
        sizes_[slot] = size;
      }
      total += tag_of(field).size() + varint_size(size) + size;
    }
    return total;
  }

  void emit(std::span<const std::byte> message, Kind kind, Sink& sink) {
    FieldCursor cursor(message, message.data());
    for (Field field; cursor.next(field);) {
      const Kind child = child_kind(kind, field);
      if (child == Kind::opaque) {
        sink.write(field.whole);
        continue;
      }
      std::string head(text_of(tag_of(field)));
      if (child == Kind::raw_data) {
        const tensor::Bytes bytes = blobs_[blob_at(text_of(field.payload), blobs_)].now();
        const auto blob = bytes.span();
        append_varint(head, blob.size());
        sink.write(bytes_of(head));
        sink.write(blob);
      } else {
        append_varint(head, sizes_[next_++]);
        sink.write(bytes_of(head));
        emit(field.payload, child, sink);
      }
    }
  }

 private:
  const Blobs& blobs_;
  std::vector<std::uint64_t> sizes_;
  std::size_t next_ = 0;
};

class StringSink final : public Sink {
 public:
  void write(std::span<const std::byte> bytes) override { text.append(text_of(bytes)); }
  std::string text;
};

}  // namespace

std::string blob_index(std::size_t index) {
  const std::uint64_t number = index;
  std::string out(8, '\0');
  std::memcpy(out.data(), &number, 8);
  return out;
}

std::size_t blob_at(std::string_view raw_data, const Blobs& blobs) {
  std::uint64_t number = blobs.size();
  if (raw_data.size() == 8) std::memcpy(&number, raw_data.data(), 8);
  if (number >= blobs.size()) throw Error("a tensor's raw data is malformed");
  return static_cast<std::size_t>(number);
}

std::string add_blob(Blobs& blobs, tensor::Bytes bytes) {
  blobs.push_back(std::move(bytes));
  return blob_index(blobs.size() - 1);
}

std::string lift_blobs(const tensor::Bytes& message, Kind kind, Blobs& blobs) {
  Lifter lifter(message, blobs);
  lifter.message(message.span(), kind, 0);
  return lifter.take();
}

std::uint64_t full_size(std::string_view skeleton, Kind kind, const Blobs& blobs) {
  return Splicer(blobs).measure(bytes_of(skeleton), kind);
}

void write_full(std::string_view skeleton, Kind kind, const Blobs& blobs, Sink& sink) {
  Splicer splicer(blobs);
  splicer.measure(bytes_of(skeleton), kind);
  splicer.emit(bytes_of(skeleton), kind, sink);
}

std::string full_message(std::string_view skeleton, Kind kind, const Blobs& blobs) {
  StringSink sink;
  write_full(skeleton, kind, blobs, sink);
  return std::move(sink.text);
}

}  // namespace coppice::formats::onnx_detail
