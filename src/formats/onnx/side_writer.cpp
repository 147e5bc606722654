#include "formats/onnx/side_writer.hpp"

#include <algorithm>

namespace coppice::formats::onnx_detail {
namespace {
// A page, so that readers can map big tensors; small ones only need to suit vector instructions.
constexpr std::uint64_t big_alignment = 4096, small_alignment = 64;
constexpr std::size_t big_from = std::size_t{1} << 20;
// Bytes written at a time, before the pages that they came from are given back.
constexpr std::size_t window = std::size_t{4} << 20;
}  // namespace

bool SidePlan::takes(const tensor::Tensor& tensor, bool external, bool initializer) const {
  if (tensor.dtype == tensor::DType::string) return false;
  return external || (large_ && initializer && tensor.bytes.size() >= large_from);
}

std::uint64_t SidePlan::add(const tensor::Bytes& bytes) {
  const auto [known, added] = known_.try_emplace({bytes.place(), bytes.size()}, 0);
  if (!added) return known->second;
  const std::uint64_t alignment = bytes.size() >= big_from ? big_alignment : small_alignment;
  const std::uint64_t offset = (end_ + alignment - 1) / alignment * alignment;
  known->second = offset;
  pieces_.push_back({offset, bytes});
  end_ = offset + bytes.size();
  return offset;
}

void SidePlan::write(base::AtomicFile& file, const std::function<void(std::uint64_t)>& written) const {
  const std::string zeros(big_alignment, '\0');
  for (const Piece& piece : pieces_) {
    file.write(std::string_view(zeros).substr(0, static_cast<std::size_t>(piece.offset - file.position())));
    const tensor::Bytes bytes = piece.bytes.now();
    for (std::size_t at = 0; at < bytes.size(); at += window) {
      const tensor::Bytes part = bytes.slice(at, std::min(window, bytes.size() - at));
      file.write(part.span());
      tensor::give_back(part);
      written(file.position());
    }
  }
}

}  // namespace coppice::formats::onnx_detail
