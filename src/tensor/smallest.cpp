#include "coppice/tensor/smallest.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "coppice/base/error.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"
#include "tensor/key_runs.hpp"
#include "tensor/kth_key.hpp"
#include "tensor/magnitude_key.hpp"

namespace coppice::tensor {
namespace {

double magnitude_of(std::int64_t key, DType dtype) {
  switch (dtype) {
    case DType::float16:
      return half_to_float(static_cast<std::uint16_t>(key));
    case DType::bfloat16:
      return bfloat16_to_float(static_cast<std::uint16_t>(key));
    case DType::float32:
      return std::bit_cast<float>(static_cast<std::int32_t>(key));
    default:
      return std::bit_cast<double>(key);
  }
}

KeyList own_bits(const Tensor& tensor) {
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  const Bytes bytes = tensor.bytes;
  return {tensor.elements(),
          [data = bytes.data(), width](std::int64_t first, std::size_t, std::byte*) {
            return data + static_cast<std::size_t>(first) * width;
          },
          [bytes, width](std::int64_t first, std::size_t count) {
            prefetch(bytes.slice(static_cast<std::size_t>(first) * width, count * width));
          },
          [bytes, width](std::int64_t first, std::size_t count) {
            give_back(bytes.slice(static_cast<std::size_t>(first) * width, count * width));
          }};
}

KeyList as_doubles(const Tensor& tensor) {
  KeyList out = own_bits(tensor);
  out.read = [tensor](std::int64_t first, std::size_t count, std::byte* scratch) -> const std::byte* {
    double values[kMostKeys];
    decode(tensor, first, count, values);
    std::memcpy(scratch, values, count * sizeof(double));
    return scratch;
  };
  return out;
}

KeyList as_keys(const Scores& scores) {
  return {scores.size,
          [read = scores.read](std::int64_t first, std::size_t count, std::byte* scratch) -> const std::byte* {
            double values[kMostKeys];
            read(first, {values, count});
            for (std::size_t i = 0; i < count; ++i) {
              const std::int64_t key = score_key(values[i]);
              std::memcpy(scratch + i * sizeof key, &key, sizeof key);
            }
            return scratch;
          },
          {},
          {}};
}

void check_count(std::int64_t count, std::int64_t total) {
  if (count < 0 || count > total)
    throw Error("smallest: expected a count from 0 to " + std::to_string(total) + ", found " + std::to_string(count));
}

}  // namespace

struct Smallest::State {
  std::vector<Tensor> tensors;  ///< Empty for scores.
  std::vector<KeyList> keys;
  KeyKind kind;
  DType dtype = DType::float64;  ///< Of the keys.
  KeyCut cut;

  CutBody zeroing(std::span<std::byte> out) const;
  void check_room(std::size_t list, std::span<std::byte> out) const;
};

Smallest Smallest::of(std::vector<Weights> lists, std::int64_t count) {
  auto state = std::make_shared<State>();
  bool alike = true;
  std::int64_t total = 0;
  for (const Weights& list : lists) {
    check_bytes("smallest", list.tensor);
    if (!is_real(list.tensor.dtype))
      throw Error(list.name + ": expected floating-point weights, found " + std::string(name(list.tensor.dtype)));
    alike = alike && list.tensor.dtype == lists.front().tensor.dtype;
    total += list.tensor.elements();
    state->tensors.push_back(list.tensor);
  }
  check_count(count, total);
  if (alike && !lists.empty()) state->dtype = lists.front().tensor.dtype;
  for (const Weights& list : lists) state->keys.push_back(alike ? own_bits(list.tensor) : as_doubles(list.tensor));
  state->kind = {static_cast<std::size_t>(bit_width(state->dtype)) / 8, true, infinity_key(state->dtype)};
  const RefuseKey refuse = [&](std::size_t list, std::int64_t index) {
    throw Error(lists[list].name + ": expected numbers, found NaN as weight " + std::to_string(index));
  };
  state->cut = find_cut(state->keys, state->kind, count, refuse);
  return Smallest(std::move(state));
}

Smallest Smallest::of(std::vector<Scores> lists, std::int64_t count) {
  auto state = std::make_shared<State>();
  std::int64_t total = 0;
  for (const Scores& list : lists) {
    total += list.size;
    state->keys.push_back(as_keys(list));
  }
  check_count(count, total);
  state->kind = {8, false, kInfinityKey};
  const RefuseKey refuse = [&](std::size_t list, std::int64_t index) {
    throw Error(lists[list].name + ": expected numbers, found NaN as score " + std::to_string(index));
  };
  state->cut = find_cut(state->keys, state->kind, count, refuse);
  return Smallest(std::move(state));
}

std::int64_t Smallest::chosen(std::size_t list) const {
  return state_->cut.chosen.at(list);
}

double Smallest::largest() const {
  const std::int64_t key = state_->cut.key;
  if (key == std::numeric_limits<std::int64_t>::min()) return 0;
  if (state_->kind.magnitudes) return magnitude_of(key, state_->dtype);
  return std::bit_cast<double>(key >= 0 ? key : key ^ std::numeric_limits<std::int64_t>::max());
}

Mask Smallest::mask(std::size_t list) const {
  const KeyList& keys = state_->keys.at(list);
  Mask out = Mask::all(keys.size);
  std::fill(out.words.begin(), out.words.end(), 0);
  const KeyKind kind = state_->kind;
  for_each_cut_run(keys, state_->cut, list,
                   [&](const std::byte* data, std::int64_t first, std::size_t count, std::int64_t bound) {
                     std::uint64_t words[kMostKeys / 64];
                     mask_keys({data, count, kind.width, kind.magnitudes}, bound, words);
                     // Behind the place where ties end, runs do not begin with a word.
                     put_bits(out.words.data(), first, words, count);
                   });
  return out;
}

void Smallest::zero(std::size_t list, std::span<std::byte> out) const {
  state_->check_room(list, out);
  const Tensor& tensor = state_->tensors[list];
  if (state_->dtype != tensor.dtype) return apply_mask(mask(list), tensor, out);
  for_each_cut_run(state_->keys[list], state_->cut, list, state_->zeroing(out));
}

void Smallest::zero(std::span<const std::span<std::byte>> out) const {
  if (out.size() != state_->keys.size()) {
    throw Error("smallest: expected room for " + std::to_string(state_->keys.size()) + " lists, found " +
                std::to_string(out.size()));
  }
  bool alike = true;
  for (std::size_t list = 0; list < out.size(); ++list) {
    state_->check_room(list, out[list]);
    alike = alike && state_->tensors[list].dtype == state_->dtype;
  }
  if (alike)
    return for_each_cut_run(state_->keys, state_->cut, [&](std::size_t list) { return state_->zeroing(out[list]); });
  for (std::size_t list = 0; list < out.size(); ++list) zero(list, out[list]);
}

CutBody Smallest::State::zeroing(std::span<std::byte> out) const {
  return [out, width = kind.width](const std::byte* data, std::int64_t first, std::size_t count, std::int64_t bound) {
    zero_keys({data, count, width}, bound, out.data() + static_cast<std::size_t>(first) * width);
  };
}

void Smallest::State::check_room(std::size_t list, std::span<std::byte> out) const {
  if (list >= tensors.size()) throw Error("smallest: expected weights to zero, found scores");
  const std::size_t expected = tensors[list].bytes.size();
  if (out.size() != expected) {
    throw Error("smallest: expected " + std::to_string(expected) + " bytes to write, found " +
                std::to_string(out.size()));
  }
}

Tensor Smallest::zeroed(std::size_t list) const {
  if (list >= state_->tensors.size()) throw Error("smallest: expected weights to zero, found scores");
  const Tensor& tensor = state_->tensors[list];
  Buffer buffer(tensor.bytes.size());
  zero(list, buffer.span());
  return {tensor.dtype, tensor.shape, std::move(buffer).freeze(), nullptr};
}

}  // namespace coppice::tensor
