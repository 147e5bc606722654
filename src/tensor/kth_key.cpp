#include "tensor/kth_key.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "coppice/base/parallel.hpp"

#include "tensor/key_runs.hpp"

namespace coppice::tensor {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 17;
// At a time, so that starting a thread pays.
constexpr std::size_t kPieces = 4;
// So few are gathered without a sample.
constexpr std::int64_t kFew = std::int64_t{1} << 13;
constexpr std::size_t kMostPlaces = 8192, kPlace = 8;  // of the sample: neighbours come with one line of memory

// Of a file's pieces, as many are on the way while one is read: enough for a disk that answers in milliseconds.
constexpr std::size_t kAhead = 64;
// So few are read from one end to the other sooner than the places of the sample among them.
constexpr std::size_t kAllAhead = 1024;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct Scratch {
  alignas(64) std::byte read[kMostKeys * 8];
  alignas(64) std::byte inside[kScratchKeys * 8];
};

std::int64_t one_key(const std::byte* data, std::size_t i, const KeyKind& kind) {
  const auto get = [&](auto t) {
    std::memcpy(&t, data + i * sizeof t, sizeof t);
    return static_cast<std::int64_t>(kind.magnitudes ? t & std::numeric_limits<decltype(t)>::max() : t);
  };
  return kind.width == 2 ? get(std::int16_t()) : kind.width == 4 ? get(std::int32_t()) : get(std::int64_t());
}

// Neighbouring keys of one list, and what a pass found there.
struct Piece {
  std::size_t list;
  std::int64_t first, size;
  KeyCounts counts;
  std::vector<std::byte> inside;
  std::int64_t less = 0, equal = 0;  // than the key of the cut
};

std::vector<Piece> pieces_of(std::span<const KeyList> lists) {
  std::vector<Piece> out;
  for (std::size_t list = 0; list < lists.size(); ++list)
    for (std::int64_t first = 0; first < lists[list].size; first += kPiece)
      out.push_back({list, first, std::min(kPiece, lists[list].size - first), {}, {}});
  return out;
}

class Search {
 public:
  Search(std::span<const KeyList> lists, const KeyKind& kind, const RefuseKey& refuse, double spread)
      : lists_(lists), kind_(kind), refuse_(refuse), spread_(spread), pieces_(pieces_of(lists)) {
    for (const KeyList& list : lists) total_ += list.size;
  }

  // The key of the rank-th smallest, 1 <= rank <= total; what the pieces hold is then known relative to it.
  std::int64_t find(std::int64_t rank) {
    if (total_ > kFew) draw();
    for (const double spread : {spread_, 4 * spread_}) {
      bracket(rank, spread);
      scan();
      const KeyCounts sum = sums();
      const auto below = static_cast<std::int64_t>(sum.below), low = below + static_cast<std::int64_t>(sum.at_low),
                 inside = low + static_cast<std::int64_t>(sum.inside),
                 high = inside + static_cast<std::int64_t>(sum.at_high);
      if (rank <= below || rank > high) continue;
      const bool within = rank > low && rank <= inside;
      // Going on with nearly as many might never end.
      if (within && inside - low > std::max(total_ / 2, kFew)) break;
      const std::int64_t key = rank <= low ? low_ : within ? find_inside(rank - low) : high_;
      settle(key);
      return key;
    }
    return bisect(rank);
  }

  // One pass that only looks for keys above the limit.
  void check() {
    low_ = high_ = lowest;
    scan();
  }

  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  void draw() {
    std::vector<std::int64_t> starts;
    std::int64_t sum = 0;
    for (const KeyList& list : lists_) {
      starts.push_back(sum);
      sum += list.size;
    }
    const std::size_t places = std::clamp<std::size_t>(static_cast<std::size_t>(total_) / 2048, 256, kMostPlaces);
    std::uint64_t state = 0x9e3779b97f4a7c15u;
    std::vector<std::byte> scratch(kMostKeys * 8);
    std::vector<std::pair<std::size_t, std::int64_t>> drawn;
    for (std::size_t place = 0; place < places; ++place) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      const double where = (static_cast<double>(place) + std::ldexp(static_cast<double>(state >> 11), -53)) /
                           static_cast<double>(places);
      const auto at = std::min(static_cast<std::int64_t>(where * static_cast<double>(total_)), total_ - 1);
      const auto list =
          static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), at) - starts.begin() - 1);
      drawn.emplace_back(list, at - starts[list]);
    }
    const auto neighbours = [&](std::size_t list, std::int64_t first) {
      return static_cast<std::size_t>(std::min<std::int64_t>(kPlace, lists_[list].size - first));
    };
    if (pieces_.size() <= kAllAhead) {
      for (std::size_t i = 0; i < pieces_.size(); ++i) expect(i);
    } else {
      // All at once: a disk serves many scattered reads in the time of a few.
      for (const auto& [list, first] : drawn)
        if (lists_[list].soon) lists_[list].soon(first, neighbours(list, first));
    }
    for (const auto& [list, first] : drawn) {
      const std::size_t count = neighbours(list, first);
      const std::byte* data = lists_[list].read(first, count, scratch.data());
      for (std::size_t i = 0; i < count; ++i) sample_.push_back(one_key(data, i, kind_));
    }
  }

  void bracket(std::int64_t rank, double spread) {
    low_ = lowest;
    high_ = highest;
    if (sample_.empty()) return;
    const auto size = static_cast<double>(sample_.size());
    const double share = static_cast<double>(rank) / static_cast<double>(total_);
    // Neighbours are somewhat alike: as if half as many had been drawn.
    const double margin = spread * std::sqrt(share * (1 - share) * size * 2) + spread * kPlace;
    const double from = std::floor(share * size - margin), to = std::ceil(share * size + margin);
    auto rest = sample_.begin();
    const auto next = [&](double place) {
      const auto at = sample_.begin() + static_cast<std::ptrdiff_t>(place);
      std::nth_element(rest, at, sample_.end());
      rest = at;
      return *at;
    };
    if (from >= 0) low_ = next(from);
    if (to < size) high_ = next(to);
  }

  void scan() {
    for (std::size_t i = 0; i < kAhead; ++i) expect(i);
    base::parallel_for(pieces_.size(), kPieces, [&](std::size_t begin, std::size_t end) {
      const auto scratch = std::make_unique<Scratch>();
      for (std::size_t i = begin; i < end; ++i) {
        expect(i + kAhead);
        scan(pieces_[i], *scratch);
      }
    });
    for (const Piece& piece : pieces_)
      if (piece.counts.beyond) refuse_first(piece);
  }

  void expect(std::size_t i) const {
    if (i >= pieces_.size()) return;
    const KeyList& list = lists_[pieces_[i].list];
    if (list.soon) list.soon(pieces_[i].first, static_cast<std::size_t>(pieces_[i].size));
  }

  void scan(Piece& piece, Scratch& scratch) const {
    piece.counts = {};
    piece.inside.clear();
    const KeyList& list = lists_[piece.list];
    for (std::int64_t at = 0; at < piece.size; at += static_cast<std::int64_t>(kMostKeys)) {
      const auto count = static_cast<std::size_t>(std::min<std::int64_t>(kMostKeys, piece.size - at));
      const std::byte* data = list.read(piece.first + at, count, scratch.read);
      const KeyCounts found =
          scan_keys({data, count, kind_.width, kind_.magnitudes}, low_, high_, kind_.limit, scratch.inside);
      piece.counts.below += found.below;
      piece.counts.at_low += found.at_low;
      piece.counts.at_high += found.at_high;
      piece.counts.inside += found.inside;
      piece.counts.beyond = piece.counts.beyond || found.beyond;
      piece.inside.insert(piece.inside.end(), scratch.inside, scratch.inside + found.inside * kind_.width);
    }
    if (list.done) list.done(piece.first, static_cast<std::size_t>(piece.size));
  }

  void refuse_first(const Piece& piece) const {
    std::vector<std::byte> scratch(kMostKeys * 8);
    for (std::int64_t i = 0; i < piece.size; ++i) {
      const std::byte* data = lists_[piece.list].read(piece.first + i, 1, scratch.data());
      if (one_key(data, 0, kind_) > kind_.limit) refuse_(piece.list, piece.first + i);
    }
  }

  KeyCounts sums() const {
    KeyCounts out;
    for (const Piece& piece : pieces_) {
      out.below += piece.counts.below;
      out.at_low += piece.counts.at_low;
      out.inside += piece.counts.inside;
      out.at_high += piece.counts.at_high;
    }
    return out;
  }

  // For keys that make the sample, whose places are known, say nothing: halves the range of keys with every pass.
  std::int64_t bisect(std::int64_t rank) {
    std::int64_t low = kind_.magnitudes ? 0 : lowest, high = kind_.limit;
    while (low < high) {
      low_ = high_ =
          low + static_cast<std::int64_t>((static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)) / 2);
      scan();
      const KeyCounts sum = sums();
      if (rank <= static_cast<std::int64_t>(sum.below + sum.at_low))
        high = low_;
      else
        low = low_ + 1;
    }
    low_ = high_ = low;
    scan();
    settle(low);
    return low;
  }

  // Among what the pieces collected.
  std::int64_t find_inside(std::int64_t rank) const {
    std::size_t count = 0;
    for (const Piece& piece : pieces_) count += piece.counts.inside;
    if (static_cast<std::int64_t>(count) <= kFew) {
      std::vector<std::int64_t> keys;
      keys.reserve(count);
      for (const Piece& piece : pieces_)
        for (std::size_t i = 0; i < piece.counts.inside; ++i) keys.push_back(one_key(piece.inside.data(), i, kind_));
      const auto wanted = keys.begin() + (rank - 1);
      std::nth_element(keys.begin(), wanted, keys.end());
      return *wanted;
    }
    std::vector<KeyList> lists;
    for (const Piece& piece : pieces_) {
      const std::byte* data = piece.inside.data();
      const std::size_t width = kind_.width;
      lists.push_back({static_cast<std::int64_t>(piece.counts.inside),
                       [data, width](std::int64_t first, std::size_t, std::byte*) {
                         return data + static_cast<std::size_t>(first) * width;
                       },
                       {},
                       {}});
    }
    return Search(lists, kind_, refuse_, spread_).find(rank);
  }

  void settle(std::int64_t key) {
    base::parallel_for(pieces_.size(), 8, [&](std::size_t begin, std::size_t end) {
      const auto scratch = std::make_unique<Scratch>();
      for (std::size_t i = begin; i < end; ++i) {
        Piece& piece = pieces_[i];
        KeyCounts in;  // of those inside
        for (std::size_t at = 0; at < piece.counts.inside; at += kMostKeys) {
          const KeyRun run{piece.inside.data() + at * kind_.width, std::min(kMostKeys, piece.counts.inside - at),
                           kind_.width, kind_.magnitudes};
          const KeyCounts found = scan_keys(run, key, key, highest, scratch->inside);
          in.below += found.below;
          in.at_low += found.at_low;
        }
        piece.less = static_cast<std::int64_t>(piece.counts.below + in.below);
        if (key > low_) piece.less += static_cast<std::int64_t>(piece.counts.at_low);
        piece.equal = static_cast<std::int64_t>(key == low_    ? piece.counts.at_low
                                                : key == high_ ? piece.counts.at_high
                                                               : in.at_low);
      }
    });
  }

  std::span<const KeyList> lists_;
  const KeyKind kind_;
  const RefuseKey& refuse_;
  const double spread_;
  std::vector<Piece> pieces_;
  std::vector<std::int64_t> sample_;
  std::int64_t total_ = 0, low_ = lowest, high_ = highest;
};

// Where, in this piece, `skip` keys that equal the cut's have gone by.
std::int64_t behind_equals(const KeyList& list, const KeyKind& kind, const Piece& piece, std::int64_t key,
                           std::int64_t skip) {
  std::vector<std::byte> scratch(kMostKeys * 8);
  for (std::int64_t at = 0; at < piece.size; at += static_cast<std::int64_t>(kMostKeys)) {
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(kMostKeys, piece.size - at));
    const std::byte* data = list.read(piece.first + at, count, scratch.data());
    for (std::size_t i = 0; i < count; ++i)
      if (one_key(data, i, kind) == key && --skip == 0) return piece.first + at + static_cast<std::int64_t>(i) + 1;
  }
  return piece.first + piece.size;
}

void cut_runs(const KeyList& keys, const KeyCut& cut, std::size_t list, std::int64_t begin, std::int64_t end,
              const CutBody& body) {
  const std::int64_t none = cut.key, with_equals = cut.key == highest ? highest : cut.key + 1;
  std::vector<std::byte> scratch(kMostKeys * 8);
  for (std::int64_t at = begin; at < end;) {
    std::int64_t next = std::min(at + static_cast<std::int64_t>(kMostKeys), end);
    const bool before = list < cut.list || (list == cut.list && at < cut.index);
    if (list == cut.list && before) next = std::min(next, cut.index);
    const auto count = static_cast<std::size_t>(next - at);
    body(keys.read(at, count, scratch.data()), at, count, before ? with_equals : none);
    at = next;
  }
  if (keys.done) keys.done(begin, static_cast<std::size_t>(end - begin));
}

}  // namespace

KeyCut find_cut(std::span<const KeyList> lists, const KeyKind& kind, std::int64_t count, const RefuseKey& refuse,
                double spread) {
  KeyCut out;
  out.chosen.resize(lists.size());
  Search search(lists, kind, refuse, spread);
  if (count == 0) {
    search.check();
    out.key = lowest;
    return out;
  }
  out.key = search.find(count);
  std::int64_t ties = count;
  for (const Piece& piece : search.pieces()) ties -= piece.less;
  bool placed = false;
  for (const Piece& piece : search.pieces()) {
    const std::int64_t equal = std::min(piece.equal, ties);
    out.chosen[piece.list] += piece.less + equal;
    if (!placed && ties <= piece.equal) {
      out.list = piece.list;
      out.index = behind_equals(lists[piece.list], kind, piece, out.key, ties);
      placed = true;
    }
    ties -= equal;
  }
  return out;
}

void for_each_cut_run(const KeyList& keys, const KeyCut& cut, std::size_t list, const CutBody& body) {
  const auto grain = kPieces * static_cast<std::size_t>(kPiece);
  base::parallel_for(static_cast<std::size_t>(keys.size), grain, [&](std::size_t begin, std::size_t end) {
    cut_runs(keys, cut, list, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end), body);
  });
}

void for_each_cut_run(std::span<const KeyList> lists, const KeyCut& cut,
                      const std::function<CutBody(std::size_t list)>& body) {
  const std::vector<Piece> pieces = pieces_of(lists);
  base::parallel_for(pieces.size(), kPieces, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Piece& piece = pieces[i];
      cut_runs(lists[piece.list], cut, piece.list, piece.first, piece.first + piece.size, body(piece.list));
    }
  });
}

}  // namespace coppice::tensor
