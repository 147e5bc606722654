#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace coppice::tensor {

/// A list of keys (see key_runs.hpp).
struct KeyList {
  std::int64_t size = 0;
  /// Where keys [first, first + count) lie: in the list itself, or put into `scratch`, which has room for kMostKeys;
  /// `count` is at most that.
  std::function<const std::byte*(std::int64_t first, std::size_t count, std::byte* scratch)> read;
  /// Keys [first, first + count) will be read before long; may be empty.
  std::function<void(std::int64_t first, std::size_t count)> soon = {};
  /// Keys [first, first + count) were gone through; may be empty.
  std::function<void(std::int64_t first, std::size_t count)> done = {};
};

struct KeyKind {
  std::size_t width = 4;   ///< Bytes of a key.
  bool magnitudes = true;  ///< The sign bit is not part of the key.
  std::int64_t limit = 0;  ///< Keys above are not numbers.
};

/// The place behind the `count` smallest: all keys below `key` are chosen, and of those that equal it the ones before
/// (list, index).
struct KeyCut {
  std::int64_t key = 0;
  std::size_t list = 0;
  std::int64_t index = 0;
  std::vector<std::int64_t> chosen;  ///< By list.
};

/// Told of the first key above the limit; must throw.
using RefuseKey = std::function<void(std::size_t list, std::int64_t index)>;

/// Standard deviations of the sample that the first bracket spans to either side.
inline constexpr double kSpread = 3;

/// Finds the cut for 0 <= count <= all keys. Every key is read once and checked against the limit; where a bracket
/// missed, again. `spread` moves time, never the result.
KeyCut find_cut(std::span<const KeyList> lists, const KeyKind& kind, std::int64_t count, const RefuseKey& refuse,
                double spread = kSpread);

/// All of a list in runs of at most kMostKeys, spread over the threads in pieces of a multiple of 64 keys:
/// body(data, first, count, bound), where keys below `bound` are chosen.
using CutBody = std::function<void(const std::byte* data, std::int64_t first, std::size_t count, std::int64_t bound)>;
void for_each_cut_run(const KeyList& keys, const KeyCut& cut, std::size_t list, const CutBody& body);
/// The same for all lists, whose pieces share the threads: body(list) makes the body for a list.
void for_each_cut_run(std::span<const KeyList> lists, const KeyCut& cut,
                      const std::function<CutBody(std::size_t list)>& body);

}  // namespace coppice::tensor
