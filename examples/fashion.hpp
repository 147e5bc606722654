#pragma once
#include <cstdio>
#include <string>

#include <coppice/data/loader.hpp>
#include <coppice/data/read.hpp>
#include <coppice/train/history.hpp>

/// What the examples that train share: some pictures of Fashion-MNIST, a tenth of them set aside.
struct Fashion {
  explicit Fashion(const std::string& samples) {
    const auto [training, held_out] = coppice::data::hold_out(coppice::data::read("fashion-mnist:" + samples), 0.1);
    train = coppice::data::Loader(training, {.batch_size = 32});
    valid = coppice::data::Loader(held_out, {.batch_size = 500, .shuffled = false});
    test = coppice::data::Loader(coppice::data::read("fashion-mnist:1000", coppice::data::Part::test),
                                 {.batch_size = 500, .shuffled = false});
  }
  coppice::BatchSource train, valid, test;
};

inline void print_epoch(const coppice::EpochRecord& epoch) {
  std::printf("  epoch %lld: training loss %.4f, held-out accuracy %.2f %%\n", static_cast<long long>(epoch.epoch + 1),
              epoch.training_loss, 100 * epoch.validation->value("accuracy"));
}

/// Calls `work` with the first argument, a number of pictures, and says what went wrong.
template <class Work>
int run_example(int count, char** arguments, Work work) {
  try {
    work(std::string(count > 1 ? arguments[1] : "6000"));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
