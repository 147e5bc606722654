#include "importance/site_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/tensor/scores.hpp"

#include "importance/not_finite.hpp"
#include "importance/quantisation.hpp"

namespace coppice::importance {
namespace {

using coupling::Site;
using tensor::Tensor;

// Gathered copies of constants that have lost slices are held up to this size at a time.
constexpr std::size_t copy_limit = std::size_t{64} << 20;

// One constant and the axes of it that are wanted.
struct Work {
  graph::ValueId constant = graph::no_value;
  std::vector<std::size_t> axes, places;  // places in the result
  Quantisation how;
  std::vector<std::vector<std::int64_t>> kept;  // by axis of the constant; empty: all
  const Tensor* whole = nullptr;
  Tensor copy;

  const Tensor& tensor() const { return kept.empty() ? *whole : copy; }
  /// Whether the copy of what is kept would be too large to be made at once. Numbers per index do not occur in tensors
  /// of that size.
  bool in_pieces() const {
    return !kept.empty() && whole->bytes.size() > copy_limit && how.zero.values.size() < 2 && how.scales.size() < 2;
  }
};

class Batches {
 public:
  Batches(const graph::Graph& graph, const coupling::Couplings& couplings, Criterion criterion)
      : graph_(graph), couplings_(couplings), criterion_(criterion) {}

  std::vector<SiteSums> run(const Readers& readers, std::span<const Site> sites,
                            std::span<const std::uint8_t> removed) {
    out_.resize(sites.size());
    collect(readers, sites);
    if (!removed.empty())
      for (Work& work : works_) find_kept(work, removed);
    for (std::size_t begin = 0; begin < works_.size();) {
      std::size_t end = begin, bytes = 0;
      for (; end < works_.size() && (end == begin || bytes < copy_limit); ++end)
        if (!works_[end].kept.empty()) bytes += works_[end].whole->bytes.size();
      const std::span<Work> batch(works_.data() + begin, end - begin);
      const bool powers = criterion_ != Criterion::fpgm;
      gather(batch, powers);
      if (powers)
        sums(batch);
      else
        distances(batch);
      for (Work& work : batch) work.copy = {};
      begin = end;
    }
    return std::move(out_);
  }

 private:
  void collect(const Readers& readers, std::span<const Site> sites) {
    std::unordered_map<graph::ValueId, std::size_t> index;
    for (std::size_t s = 0; s < sites.size(); ++s) {
      out_[s].site = sites[s];
      const Tensor* tensor = graph_.constant(sites[s].constant);
      if (!tensor::has_magnitude(tensor->dtype)) continue;
      const auto [it, added] = index.try_emplace(sites[s].constant, works_.size());
      if (added) {
        works_.emplace_back();
        works_.back().constant = sites[s].constant;
        works_.back().how = graph::quantisation(graph_, readers.consumers(), sites[s].constant);
        works_.back().whole = tensor;
      }
      works_[it->second].axes.push_back(at(sites[s].axis));
      works_[it->second].places.push_back(s);
    }
  }

  void find_kept(Work& work, std::span<const std::uint8_t> removed) {
    const auto axes = couplings_.axes(work.constant);
    std::vector<std::vector<std::int64_t>> kept(axes.size());
    bool any = false;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (!axes[k].tracked() || couplings_.kept_count(axes[k], removed) == axes[k].length) continue;
      kept[k] = couplings_.kept(axes[k], removed);
      any = true;
    }
    if (!any) return;
    auto& zero = work.how.zero;
    if (zero.values.size() > 1 && !kept[zero.axis].empty()) {
      std::vector<double> left;
      for (std::int64_t i : kept[zero.axis]) left.push_back(zero.values[static_cast<std::size_t>(i)]);
      zero.values = std::move(left);
    }
    auto& scales = work.how.scales;
    if (scales.size() > 1 && !kept[work.how.axis].empty()) {
      std::vector<double> left;
      for (std::int64_t i : kept[work.how.axis]) left.push_back(scales[static_cast<std::size_t>(i)]);
      scales = std::move(left);
    }
    work.kept = std::move(kept);
  }

  static void gather(std::span<Work> batch, bool powers) {
    std::vector<tensor::GatherRequest> requests;
    std::vector<Work*> of;
    for (Work& work : batch) {
      if (work.kept.empty() || (powers && work.in_pieces())) continue;
      requests.push_back({work.whole, {}});
      for (std::size_t k = 0; k < work.kept.size(); ++k)
        if (!work.kept[k].empty()) requests.back().kept.push_back({k, work.kept[k]});
      of.push_back(&work);
    }
    auto copies = tensor::gather_axes(requests);
    for (std::size_t i = 0; i < copies.size(); ++i) of[i]->copy = std::move(copies[i]);
  }

  void store(const Work& work, std::size_t i, std::vector<double> sums) {
    for (double sum : sums)
      if (!std::isfinite(sum))
        throw Error("initializer \"" + std::string(graph_.name_of(work.constant)) +
                    "\": expected finite numbers to score, found " + not_finite(*work.whole) +
                    "; --ignore the layers that it joins, or take --criterion random");
    SiteSums& target = out_[work.places[i]];
    if (!work.kept.empty()) target.indices = work.kept[work.axes[i]];
    target.sums = std::move(sums);
  }

  void sums(std::span<Work> batch) {
    const int power = power_of(criterion_);
    std::vector<tensor::PowerSumRequest> requests;
    std::vector<const Work*> of;
    for (const Work& work : batch) {
      if (work.in_pieces()) {
        finish(work, sums_in_pieces(work, power), power);
        continue;
      }
      requests.push_back({&work.tensor(), work.axes, power, work.how.zero});
      of.push_back(&work);
    }
    auto results = tensor::axis_power_sums(requests);
    for (std::size_t w = 0; w < of.size(); ++w) finish(*of[w], std::move(results[w]), power);
  }

  void finish(const Work& work, std::vector<std::vector<double>> results, int power) {
    for (std::size_t i = 0; i < work.axes.size(); ++i) {
      auto& sums = results[i];
      if (!work.how.scales.empty())
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] *= sum_factor(work.how, work.axes[i], k, power);
      store(work, i, std::move(sums));
    }
  }

  // A few rows at a time: those of one axis are listed, those of the others added up.
  static std::vector<std::vector<double>> sums_in_pieces(const Work& work, int power) {
    std::vector<std::int64_t> rows = work.kept[0];
    if (rows.empty()) {
      rows.resize(static_cast<std::size_t>(work.whole->shape[0]));
      std::iota(rows.begin(), rows.end(), 0);
    }
    const std::size_t row_bytes = work.whole->bytes.size() / static_cast<std::size_t>(work.whole->shape[0]);
    const std::size_t each = std::max<std::size_t>(1, copy_limit / std::max<std::size_t>(1, row_bytes));
    std::vector<std::vector<double>> out(work.axes.size());
    for (std::size_t begin = 0; begin < rows.size(); begin += each) {
      std::vector<tensor::AxisIndices> lists{{0, std::span(rows).subspan(begin, std::min(each, rows.size() - begin))}};
      for (std::size_t k = 1; k < work.kept.size(); ++k)
        if (!work.kept[k].empty()) lists.push_back({k, work.kept[k]});
      const Tensor piece = tensor::gather_axes(*work.whole, lists);
      const auto sums = tensor::axis_power_sums(piece, work.axes, power, work.how.zero);
      for (std::size_t i = 0; i < out.size(); ++i) {
        if (work.axes[i] == 0 || begin == 0)
          out[i].insert(out[i].end(), sums[i].begin(), sums[i].end());
        else
          for (std::size_t k = 0; k < sums[i].size(); ++k) out[i][k] += sums[i][k];
      }
    }
    return out;
  }

  void distances(std::span<Work> batch) {
    for (const Work& work : batch) {
      const bool real_numbers = work.how.scales.empty() || tensor::bit_width(work.whole->dtype) < 8;
      const Tensor converted = real_numbers ? Tensor{} : dequantised(work.tensor(), work.how);
      for (std::size_t i = 0; i < work.axes.size(); ++i)
        store(work, i,
              real_numbers ? tensor::fpgm_scores(work.tensor(), work.axes[i], work.how.zero)
                           : tensor::fpgm_scores(converted, work.axes[i]));
      tensor::give_back(work.whole->bytes);
    }
  }

  const graph::Graph& graph_;
  const coupling::Couplings& couplings_;
  Criterion criterion_;
  std::vector<Work> works_;
  std::vector<SiteSums> out_;
};

}  // namespace

std::vector<SiteSums> site_sums(const graph::Graph& graph, const coupling::Couplings& couplings, const Readers& readers,
                                std::span<const Site> sites, Criterion criterion,
                                std::span<const std::uint8_t> removed) {
  return Batches(graph, couplings, criterion).run(readers, sites, removed);
}

}  // namespace coppice::importance
