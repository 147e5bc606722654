#include "coppice/importance/criterion.hpp"

#include "coppice/base/named.hpp"

namespace coppice::importance {
namespace {

constexpr base::Names<Criterion, 7> kNames{{{Criterion::large_final, "large_final"},
                                            {Criterion::l2, "l2"},
                                            {Criterion::small_final, "small_final"},
                                            {Criterion::random, "random"},
                                            {Criterion::bn_scale, "bn_scale"},
                                            {Criterion::fpgm, "fpgm"},
                                            {Criterion::lamp, "lamp"}}};

std::uint64_t mix(std::uint64_t state) {
  state += 0x9e3779b97f4a7c15u;
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
  state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
  return state ^ (state >> 31);
}

}  // namespace

std::string_view to_string(Criterion criterion) {
  return base::find_name(kNames, criterion);
}

Criterion parse_criterion(std::string_view text) {
  return base::parse_name("criterion", kNames, text);
}

int power_of(Criterion criterion) {
  return criterion == Criterion::l2 || criterion == Criterion::lamp ? 2 : 1;
}

double random_score(std::uint64_t seed, std::uint64_t group, std::uint64_t unit) {
  const std::uint64_t bits = mix(mix(mix(seed) ^ group) ^ unit);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace coppice::importance
