#include "graph/ops/content.hpp"

#include <algorithm>

#include "coppice/base/checked.hpp"

namespace coppice::graph::ops {

bool followed(DType dtype, std::int64_t elements) {
  if (elements < 0) return false;
  if (tensor::is_integer(dtype)) return elements <= content_limit;
  return tensor::is_real(dtype) && elements <= real_content_limit;
}

ContentPtr content_of(const Tensor& tensor) {
  const auto count = base::checked_product(tensor.shape);
  if (!count || !followed(tensor.dtype, *count)) return nullptr;
  if (tensor.bytes.size() < tensor::byte_size(tensor.dtype, *count)) return nullptr;
  auto out = std::make_shared<Content>();
  const auto n = static_cast<std::size_t>(*count);
  if (tensor::is_integer(tensor.dtype)) {
    out->ints.resize(n);
    for (std::size_t i = 0; i < n; ++i) out->ints[i] = tensor::element_as_int(tensor, static_cast<std::int64_t>(i));
  } else {
    out->reals.resize(n);
    for (std::size_t i = 0; i < n; ++i) out->reals[i] = tensor::element_as_double(tensor, static_cast<std::int64_t>(i));
  }
  return out;
}

std::size_t size_of(const Content& content) {
  return std::max(content.ints.size(), content.reals.size());
}

ContentPtr pick(const Content& content, std::span<const std::int64_t> from) {
  auto out = std::make_shared<Content>();
  const bool real = !content.reals.empty();
  const std::size_t have = size_of(content);
  if (have == 0 && !from.empty()) return nullptr;
  if (real)
    out->reals.resize(from.size());
  else
    out->ints.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto source = static_cast<std::size_t>(from[i]);
    if (from[i] < 0 || source >= have || !content.known(source)) {
      forget(*out, i, from.size());
    } else if (real) {
      out->reals[i] = content.reals[source];
    } else {
      out->ints[i] = content.ints[source];
    }
  }
  return out;
}

ContentPtr pick_strided(const Content& content, std::int64_t offset, std::span<const std::int64_t> shape,
                        std::span<const std::int64_t> steps) {
  const auto count = static_cast<std::size_t>(base::checked_product(shape).value_or(0));
  std::vector<std::int64_t> from(count), position(shape.size(), 0);
  std::int64_t now = offset;
  for (std::size_t i = 0; i < count; ++i) {
    from[i] = now;
    for (std::size_t d = shape.size(); d-- > 0;) {
      now += steps[d];
      if (++position[d] < shape[d]) break;
      now -= steps[d] * shape[d];
      position[d] = 0;
    }
  }
  return pick(content, from);
}

ContentPtr broadcast_content(const ContentPtr& content, std::span<const std::int64_t> shape,
                             std::span<const std::int64_t> to) {
  if (std::equal(shape.begin(), shape.end(), to.begin(), to.end())) return content;
  const std::vector<std::int64_t> strides = strides_of(shape);
  std::vector<std::int64_t> steps(to.size(), 0);
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) steps[to.size() - shape.size() + i] = strides[i];
  return pick_strided(*content, 0, to, steps);
}

void forget(Content& content, std::size_t i, std::size_t elements) {
  if (content.unknown.empty()) content.unknown.resize(elements, 0);
  content.unknown[i] = 1;
}

Fact with_content(DType dtype, Shape shape, ContentPtr content) {
  Fact out = Fact::of(dtype, std::move(shape));
  if (!content) return out;
  const auto count = base::checked_product(out.shape);
  if (count && followed(dtype, *count) && size_of(*content) == static_cast<std::size_t>(*count))
    out.content = std::move(content);
  return out;
}

ContentPtr all_unknown(DType dtype, std::size_t elements) {
  auto out = std::make_shared<Content>();
  if (tensor::is_integer(dtype))
    out->ints.resize(elements);
  else
    out->reals.resize(elements);
  out->unknown.resize(elements, 1);
  return out;
}

ContentPtr from_extents(std::span<const std::int64_t> extents) {
  auto out = std::make_shared<Content>();
  out->ints.assign(extents.begin(), extents.end());
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] >= 0) continue;
    forget(*out, i, extents.size());
    out->ints[i] = 0;
  }
  return out;
}

ContentPtr from_int(std::int64_t value) {
  auto out = std::make_shared<Content>();
  out->ints = {value};
  return out;
}

double round_to(DType dtype, double value) {
  switch (dtype) {
    case DType::float32:
      return static_cast<double>(static_cast<float>(value));
    case DType::float16:
      return static_cast<double>(tensor::half_to_float(tensor::float_to_half(static_cast<float>(value))));
    case DType::bfloat16:
      return static_cast<double>(tensor::bfloat16_to_float(tensor::float_to_bfloat16(static_cast<float>(value))));
    default:
      return value;
  }
}

std::int64_t wrap_to(DType dtype, std::int64_t value) {
  switch (dtype) {
    case DType::boolean:
      return value != 0 ? 1 : 0;
    case DType::int8:
      return static_cast<std::int8_t>(value);
    case DType::uint8:
      return static_cast<std::uint8_t>(value);
    case DType::int16:
      return static_cast<std::int16_t>(value);
    case DType::uint16:
      return static_cast<std::uint16_t>(value);
    case DType::int32:
      return static_cast<std::int32_t>(value);
    case DType::uint32:
      return static_cast<std::uint32_t>(value);
    default:
      return value;
  }
}

std::vector<std::int64_t> strides_of(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> out(shape.size());
  std::uint64_t stride = 1;  // of a tensor without elements it may wrap, and is not used
  for (std::size_t i = shape.size(); i-- > 0;) {
    out[i] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(shape[i]);
  }
  return out;
}

}  // namespace coppice::graph::ops
