#include <cstring>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"

#include "formats/packed/parts.hpp"

namespace coppice::formats::packed_detail {
namespace {

tensor::Shape read_shape(const tensor::Bytes& bytes) {
  tensor::Shape out(bytes.size() / sizeof(std::int64_t));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

/// The place of an entry of this type and shape.
std::size_t StoredTensor::need(const std::string& name, std::string_view type, const tensor::Shape& shape) const {
  const auto found = file_.find(name);
  if (!found) throw Error("tensor \"" + name_ + "\": \"" + name + "\" is missing");
  const SafetensorsEntry& entry = file_.entries()[*found];
  if (entry.type != type || entry.shape != shape)
    throw Error("tensor \"" + name + "\": expected " + std::string(type) + " " + tensor::to_string(shape) + ", found " +
                entry.type + " " + tensor::to_string(entry.shape));
  return *found;
}

StoredTensor::StoredTensor(const SafetensorsFile& file, std::string_view name) : file_(file), name_(name) {
  const auto whole = file.find(name), values = file.find(name_ + ".compressed");
  if (whole || !values) {
    if (!whole) throw Error("tensor \"" + name_ + "\" is missing");
    values_ = *whole;
    shape_ = file.entries()[values_].shape;
    bytes_ = file.entries()[values_].bytes();
    return;
  }
  values_ = *values;
  const SafetensorsEntry& compressed = file.entries()[values_];
  if (!tensor::can_leave_out(compressed.dtype) || compressed.shape.size() != 1)
    throw Error("tensor \"" + compressed.name + "\": expected a list of whole bytes, found " + compressed.type + " " +
                tensor::to_string(compressed.shape));
  const auto at = file.find(name_ + ".shape");
  const auto rank = at ? file.entries()[*at].elements() : 0;
  shape_ = read_shape(file.bytes(need(name_ + ".shape", "I64", {rank})));
  const auto elements = base::checked_product(shape_);
  const auto bits = elements ? base::checked_mul(*elements, tensor::bit_width(compressed.dtype)) : std::nullopt;
  if (!bits)
    throw Error("tensor \"" + name_ + ".shape\": expected sizes of 0 or more whose product can be counted, found " +
                tensor::to_string(shape_));
  rows_ = tensor::rows_of(shape_);
  bytes_ = static_cast<std::uint64_t>(*bits / 8);
  // The bits are there, one for each element: from here on memory is in proportion to the file.
  bits_ = need(name_ + ".bitmask", "U8", {rows_.rows, rows_.row_bytes()});
  offsets_ = need(name_ + ".row_offsets", "I64", {rows_.rows});
}

std::optional<tensor::Bytes> StoredTensor::whole() const {
  if (bits_) return std::nullopt;
  return file_.bytes(values_);
}

void StoredTensor::expand(std::span<std::byte> out) const {
  const tensor::Bytes bits = file_.bytes(*bits_), before = file_.bytes(offsets_), values = file_.bytes(values_);
  try {
    tensor::expand_bitmask(bits.span(), before.span(), values.span(), rows_, tensor::byte_size(dtype(), 1), out);
  } catch (const Error& error) {
    throw Error("tensor \"" + name_ + ".bitmask\": " + error.what());
  }
  for (const tensor::Bytes& read : {bits, before, values}) tensor::give_back(read);
}

}  // namespace coppice::formats::packed_detail
