#include "coppice/data/read.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/data/loader.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/npz.hpp"
#include "support/scratch.hpp"

namespace coppice::data {
namespace {

using namespace std::string_literals;

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<Batch> all(const DatasetPtr& dataset, const LoaderOptions& options) {
  std::vector<Batch> out;
  Loader(dataset, options).for_each(0, 0, [&](Batch batch) {
    out.push_back(std::move(batch));
    return true;
  });
  return out;
}

void save(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(Read, ReadsNpzFiles) {
  const test::Scratch folder;
  const std::string pairs = folder / "pairs.npz", split = folder / "split.npz", one = folder / "one.npz";
  const tensor::Tensor x = to_coppice(at::arange(6, at::kFloat).reshape({3, 2})),
                       y = to_coppice(at::arange(3, at::kLong)), z = to_coppice(at::arange(2, at::kLong));
  save(pairs, test::npz({{"y", y}, {"x", x}}));
  save(split, test::npz({{"x_train", x}, {"y_train", y}, {"x_test", x}, {"y_test", y}, {"z", z}}));
  save(one, test::npz({{"arr_0", x}}));
  for (const DatasetPtr& dataset : {read(pairs), read(pairs + ":x:y"), read(split), read(split, Part::test)}) {
    const Batch found = all(dataset, {.shuffled = false}).at(0);
    EXPECT_TRUE(found.inputs.at(0).equal(at::arange(6, at::kFloat).reshape({3, 2})));
    EXPECT_TRUE(found.target.equal(at::arange(3, at::kLong)));
  }
  EXPECT_EQ(all(read(pairs + ":x,y:y"), {}).at(0).inputs.size(), 2U);
  EXPECT_FALSE(all(read(one), {}).at(0).target.defined());
  EXPECT_FALSE(all(read(pairs + ":x"), {}).at(0).target.defined());
  EXPECT_EQ(refusal(split + ":x_train:z"), split + ":z: expected 3 samples, as in " + split + ":x_train, found 2");
  EXPECT_EQ(refusal(pairs + ":x:w"), pairs + ": expected an array \"w\", found y, x");
  save(pairs, test::npz({{"a", x}, {"b", y}}));
  EXPECT_EQ(refusal(pairs), pairs +
                                ": expected one array, x and y, arr_0 and arr_1, or x_train and y_train, found a, b; "
                                "name them as " +
                                pairs + ":INPUT:TARGET");
}

TEST(Read, ReadsNpyFiles) {
  const test::Scratch folder;
  const std::string x = folder / "x.npy", z = folder / "z.npy", y = folder / "y.npy", short_y = folder / "short.npy";
  formats::write_npy(to_coppice(at::arange(10, at::kDouble).reshape({5, 2})), x);
  formats::write_npy(to_coppice(at::arange(5, at::kInt) * 10), z);
  formats::write_npy(to_coppice(at::arange(5, at::kLong)), y);
  formats::write_npy(to_coppice(at::arange(4, at::kLong)), short_y);

  const auto found = all(read(x + "," + z + ":" + y), {.batch_size = 2, .shuffled = false});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[0].inputs.at(0).equal(at::tensor({0.f, 1.f, 2.f, 3.f}).reshape({2, 2})));
  EXPECT_TRUE(found[0].inputs.at(1).equal(at::tensor({0, 10}, at::kInt)));
  EXPECT_TRUE(found[2].target.equal(at::tensor({4}, at::kLong)));
  EXPECT_EQ(found[2].inputs.at(0).sizes(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_FALSE(all(read(x), {}).at(0).target.defined());
  EXPECT_EQ(all(read(x), {.real = at::kDouble}).at(0).inputs.at(0).scalar_type(), at::kDouble);

  EXPECT_EQ(refusal(x + ":" + short_y), short_y + ": expected 5 samples, as in " + x + ", found 4");
  EXPECT_EQ(refusal(x + "," + short_y + ":" + y), short_y + ": expected 5 samples, as in " + x + ", found 4");
  EXPECT_NE(refusal(x + ":").find("found no file name"), std::string::npos);
  EXPECT_NE(refusal("fashion-mnst:100").find("found no file \"fashion-mnst\"; did you mean fashion-mnist?"),
            std::string::npos);
  EXPECT_NE(refusal("").find("expected x.npy:y.npy, pairs.npz[:X:Y], fashion-mnist[:N], idx:FOLDER[:N]"),
            std::string::npos);
  EXPECT_NE(refusal(folder / "missing.npy").find("missing.npy"), std::string::npos);
  formats::write_npy(to_coppice(at::ones({})), short_y);
  EXPECT_EQ(refusal(short_y), short_y + ": expected an array with a first axis of samples, found scalar");
  EXPECT_THROW(Loader(read(x), {.batch_size = 0}), Error);
}

TEST(Read, ReadsIdxFolders) {
  const test::Scratch folder;
  const std::string images = folder / "train-images-idx3-ubyte", labels = folder / "train-labels-idx1-ubyte";
  const std::string where = std::filesystem::path(images).parent_path().string();
  EXPECT_EQ(refusal("idx:" + where),
            where + ": expected train-images-idx3-ubyte or train-images-idx3-ubyte.gz there, found none");
  save(images, "\0\0\x08\3\0\0\0\2\0\0\0\1\0\0\0\1\xff\x33"s);
  save(labels, "\0\0\x08\1\0\0\0\2\7\3"s);
  const auto found = all(read("idx:" + where), {.shuffled = false});
  EXPECT_EQ(found.at(0).inputs.at(0).sizes(), (std::vector<std::int64_t>{2, 1, 1, 1}));
  EXPECT_TRUE(found[0].inputs[0].flatten().equal(at::tensor({255.f, 51.f}) / 255));
  EXPECT_TRUE(found[0].target.equal(at::tensor({7, 3}, at::kLong)));
  EXPECT_EQ(read("idx:" + where + ":1")->size(), 1);
  EXPECT_EQ(refusal("idx:" + where + ":3"), images + ": expected 3 pictures, found 2");
  EXPECT_NE(refusal("idx:" + where + ":0").find("1 or more"), std::string::npos);
  save(labels, "\0\0\x08\1\0\0\0\1\7"s);
  EXPECT_EQ(refusal("idx:" + where), labels + ": expected a label for each of 2 pictures, found 1");
}

TEST(Read, ReadsFashionMnist) {
  if (!std::filesystem::exists(fashion_mnist_folder)) GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const DatasetPtr dataset = read("fashion-mnist:100");
  EXPECT_EQ(dataset->size(), 100);
  const auto found = all(dataset, {.batch_size = 100, .shuffled = false}).at(0);
  EXPECT_EQ(found.inputs.at(0).sizes(), (std::vector<std::int64_t>{100, 1, 28, 28}));
  EXPECT_EQ(found.target[0].item<std::int64_t>(), 9);
  EXPECT_LE(found.inputs[0].max().item<float>(), 1);
  EXPECT_NE(refusal("fashion-mnist:none").find("behind the colon, found \"none\""), std::string::npos);
  EXPECT_NE(refusal("fashion-mnist:100000").find("expected 100000 pictures, found 60000"), std::string::npos);
}

}  // namespace
}  // namespace coppice::data
