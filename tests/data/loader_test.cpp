#include "coppice/data/loader.hpp"

#include <algorithm>
#include <set>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

namespace coppice::data {
namespace {

using Numbers = std::vector<std::int64_t>;

DatasetPtr numbers(std::int64_t count) {
  return std::make_shared<TensorDataset>(std::vector{at::arange(count, at::kLong)}, at::arange(count, at::kLong) * 10);
}

Numbers list(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), tensor.data_ptr<std::int64_t>() + tensor.numel()};
}

Numbers order(const Loader& loader, std::int64_t epoch = 0, std::int64_t first = 0) {
  Numbers out;
  loader.for_each(epoch, first, [&](const Batch& batch) {
    const Numbers some = list(batch.inputs.at(0));
    EXPECT_TRUE(batch.target.equal(batch.inputs[0] * 10));
    out.insert(out.end(), some.begin(), some.end());
    return true;
  });
  return out;
}

TEST(Loader, ShufflesBySeedAndEpoch) {
  const Loader one(numbers(50), {.batch_size = 8, .seed = 1}), two(numbers(50), {.batch_size = 8, .seed = 2});
  EXPECT_EQ(order(one), order(one));
  EXPECT_NE(order(one), order(two));
  EXPECT_NE(order(one, 0), order(one, 1));
  const Numbers once = order(one, 3);
  EXPECT_EQ(once.size(), 50U);
  EXPECT_EQ(std::set<std::int64_t>(once.begin(), once.end()).size(), 50U);
}

TEST(Loader, BeginsAnywhere) {
  const Loader loader(numbers(50), {.batch_size = 8});
  const Numbers whole = order(loader, 2);
  EXPECT_EQ(order(loader, 2, 3), Numbers(whole.begin() + 24, whole.end()));
}

TEST(Loader, KeepsTheOrderOfTheDataWhereAsked) {
  EXPECT_EQ(order(Loader(numbers(5), {.batch_size = 2, .shuffled = false})), (Numbers{0, 1, 2, 3, 4}));
  const Loader whole(numbers(5), {.batch_size = 2, .shuffled = false, .drop_last = true});
  EXPECT_EQ(order(whole), (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(whole.batches(), 2);
  EXPECT_EQ(Loader(numbers(5), {.batch_size = 2}).batches(), 3);
}

TEST(Loader, GivesTheSameWithWorkers) {
  const auto pictures = std::make_shared<TensorDataset>(
      std::vector{at::arange(40 * 3 * 4 * 4, at::kInt).remainder(251).to(at::kByte).reshape({40, 3, 4, 4})},
      at::Tensor());
  std::vector<at::Tensor> found[2];
  for (const int workers : {0, 3})
    Loader(pictures, {.batch_size = 7,
                      .workers = workers,
                      .transforms = {normalize({0.5, 0.4, 0.3}, {0.1, 0.2, 0.3}), random_shift(1), random_flip()}})
        .for_each(1, 0, [&](const Batch& batch) {
          found[workers / 3].push_back(batch.inputs[0]);
          return true;
        });
  ASSERT_EQ(found[0].size(), 6U);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(found[0][i].equal(found[1].at(i)));
}

TEST(Loader, WorkersComputeAlone) {
  struct Threads : Dataset {
    std::int64_t size() const override { return 9; }
    Batch gather(const at::Tensor& samples) const override {
      const at::Tensor out = at::full(samples.sizes(), at::get_num_threads());
      return {{out}, out * 10};
    }
  };
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  EXPECT_EQ(order(Loader(std::make_shared<Threads>(), {.workers = 2})), Numbers(9, 1));
  EXPECT_EQ(at::get_num_threads(), 3);
  at::set_num_threads(before);
}

TEST(Loader, PassesOnWhatAWorkerThrows) {
  struct Broken : Dataset {
    std::int64_t size() const override { return 9; }
    Batch gather(const at::Tensor& samples) const override {
      if (samples[0].item<std::int64_t>() == 6) throw Error("sample 6 is damaged");
      return {{samples}, {}};
    }
  };
  for (const int workers : {0, 2}) {
    int seen = 0;
    try {
      Loader(std::make_shared<Broken>(), {.batch_size = 3, .shuffled = false, .workers = workers})
          .for_each(0, 0, [&](const Batch&) { return ++seen > 0; });
      FAIL() << "expected an Error";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "sample 6 is damaged");
    }
    EXPECT_EQ(seen, 2);
  }
}

TEST(Loader, RefusesWhatGivesNoBatch) {
  EXPECT_THROW(Loader(numbers(5), {.batch_size = 0}), Error);
  EXPECT_THROW(Loader(numbers(5), {.batch_size = 6, .drop_last = true}), Error);
  EXPECT_THROW(Loader(numbers(5), {.workers = -1}), Error);
}

TEST(Loader, IsABatchSourceThatKnowsItsLength) {
  const BatchSource source(Loader(numbers(10), {.batch_size = 4, .seed = 5}));
  EXPECT_EQ(source.batches(), 3);
  Numbers found;
  source.for_each(
      [&](const Batch& batch) {
        const Numbers some = list(batch.inputs[0]);
        found.insert(found.end(), some.begin(), some.end());
        return true;
      },
      4, 1);
  EXPECT_EQ(found, order(Loader(numbers(10), {.batch_size = 4, .seed = 5}), 4, 1));
}

TEST(HoldOut, SplitsBySeed) {
  const auto [rest, aside] = hold_out(numbers(20), 0.25, 3);
  EXPECT_EQ(rest->size(), 15);
  EXPECT_EQ(aside->size(), 5);
  const auto all = [](const DatasetPtr& part) { return list(part->gather(at::arange(part->size())).inputs[0]); };
  const Numbers first = all(rest), second = all(aside);
  EXPECT_TRUE(std::is_sorted(first.begin(), first.end()));
  std::set<std::int64_t> both(first.begin(), first.end());
  both.insert(second.begin(), second.end());
  EXPECT_EQ(both.size(), 20U);
  EXPECT_NE(all(hold_out(numbers(20), 0.25, 4).second), second);
  EXPECT_THROW(hold_out(numbers(20), 0.0, 3), Error);
  EXPECT_THROW(hold_out(numbers(20), 1.0, 3), Error);
  EXPECT_THROW(hold_out(numbers(20), 0.01, 3), Error);
}

TEST(Transforms, MoveAndMirrorPictures) {
  const at::Tensor pictures = at::arange(1, 2 * 1 * 3 * 3 + 1).to(at::kFloat).reshape({2, 1, 3, 3});
  Draws draws(1, 0, 0);
  // A margin of 1 moves by -1, 0 or 1 both ways: the middle stays within the picture.
  std::set<std::pair<std::int64_t, std::int64_t>> places;
  for (int i = 0; i < 200; ++i) {
    const at::Tensor moved = random_shift(1)(pictures.clone(), draws);
    const auto place = moved[0][0].eq(5).nonzero();
    ASSERT_EQ(place.size(0), 1);
    places.emplace(place[0][0].item<std::int64_t>(), place[0][1].item<std::int64_t>());
  }
  EXPECT_EQ(places.size(), 9U);
  int turned = 0;
  for (int i = 0; i < 200; ++i) {
    const at::Tensor out = random_flip()(pictures.clone(), draws);
    if (out[0].equal(pictures[0])) continue;
    EXPECT_TRUE(out[0].equal(pictures[0].flip({2})));
    ++turned;
  }
  EXPECT_GT(turned, 60);
  EXPECT_LT(turned, 140);
  const at::Tensor normal = normalize({1}, {2})(pictures.clone(), draws);
  EXPECT_TRUE(normal.equal((pictures - 1) / 2));
  EXPECT_THROW(normalize({1, 2}, {1, 2})(pictures.clone(), draws), Error);
  EXPECT_THROW(normalize({1}, {0}), Error);
}

}  // namespace
}  // namespace coppice::data
