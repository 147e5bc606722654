#include <string>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/data/dataset.hpp"

namespace coppice::data {
namespace {

class Sound : public Subset {
 public:
  Sound(DatasetPtr whole, std::vector<std::int64_t> samples, std::vector<std::string> skipped)
      : Subset(std::move(whole), std::move(samples)), skipped_(std::move(skipped)) {}
  std::vector<std::string> skipped() const override { return skipped_; }

 private:
  std::vector<std::string> skipped_;
};

}  // namespace

DatasetPtr without_damaged(const DatasetPtr& whole) {
  std::vector<std::string> wrong(static_cast<std::size_t>(whole->size()));
  base::parallel_for(wrong.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) try {
        whole->gather(at::full({1}, static_cast<std::int64_t>(i), at::kLong));
      } catch (const Error& error) {
        wrong[i] = error.what();
      }
  });
  std::vector<std::int64_t> sound;
  std::vector<std::string> skipped = whole->skipped();
  const std::size_t before = skipped.size();
  for (std::size_t i = 0; i < wrong.size(); ++i)
    if (wrong[i].empty())
      sound.push_back(static_cast<std::int64_t>(i));
    else
      skipped.push_back(std::move(wrong[i]));
  if (skipped.size() == before) return whole;
  if (sound.empty())
    throw Error("data: expected a sample that is not damaged, found none: the first of " +
                std::to_string(skipped.size()) + " says: " + skipped.front());
  return std::make_shared<Sound>(whole, std::move(sound), std::move(skipped));
}

}  // namespace coppice::data
