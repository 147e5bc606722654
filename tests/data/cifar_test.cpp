#include <gtest/gtest.h>

#include "coppice/data/read.hpp"

#include "data/small.hpp"
#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice::data {
namespace {

// Labels, and pixels of which red, green and blue are `shade`, `shade` + 1 and `shade` + 2 but for the first.
std::string record(const std::string& labels, char shade) {
  std::string out = labels;
  for (int channel = 0; channel < 3; ++channel) out += std::string(1024, static_cast<char>(shade + channel));
  out[labels.size()] = '\xff';
  return out;
}

std::string cifar10(const test::Scratch& scratch) {
  const std::string folder = scratch / "ten";
  for (int i = 1; i <= 5; ++i)
    save(folder + "/data_batch_" + std::to_string(i) + ".bin",
         record({static_cast<char>(i)}, static_cast<char>(10 * i)) + record({'\0'}, '\7'));
  save(folder + "/test_batch.bin", record({'\x9'}, '\3'));
  return folder;
}

TEST(Cifar, ReadsTheBinaryVersion) {
  const test::Scratch scratch;
  const std::string folder = cifar10(scratch);
  const DatasetPtr training = read("cifar10:" + folder);
  EXPECT_EQ(training->size(), 10);
  const Batch found = training->gather(at::tensor({4, 1, 8}, at::kLong));
  EXPECT_TRUE(found.target.equal(at::tensor({3, 0, 5}, at::kLong)));
  ASSERT_EQ(found.inputs.at(0).sizes(), (std::vector<std::int64_t>{3, 3, 32, 32}));
  const at::Tensor picture = found.inputs[0][0];
  EXPECT_EQ(picture[0][0][0].item<int>(), 255);
  EXPECT_TRUE(picture[0].flatten().narrow(0, 1, 1023).eq(30).all().item<bool>());
  EXPECT_TRUE(picture[1].eq(31).all().item<bool>());
  EXPECT_TRUE(picture[2].eq(32).all().item<bool>());
  EXPECT_TRUE(training->class_names().empty());
  EXPECT_TRUE(whole(read("cifar10:" + folder, Part::test)).target.equal(at::tensor({9}, at::kLong)));
  EXPECT_EQ(read("cifar10:" + folder + ":4")->size(), 4);
  EXPECT_EQ(test::message([&] { read("cifar10:" + folder + ":11"); }), folder + ": expected 11 pictures, found 10");
  EXPECT_EQ(test::message([&] { read("cifar10:" + folder + ":0"); }),
            "data \"cifar10:" + folder + ":0\": expected a number of 1 or more behind the colon, found 0");
  EXPECT_THROW(training->gather(at::tensor({10}, at::kLong)), Error);
}

TEST(Cifar, NamesItsClasses) {
  const test::Scratch scratch;
  const std::string folder = cifar10(scratch), names = folder + "/batches.meta.txt";
  save(names, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_EQ(read("cifar10:" + folder + ":3")->class_names(),
            (std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}));
  save(names, "a\nb\n");
  EXPECT_EQ(test::message([&] { read("cifar10:" + folder); }),
            names + ": expected the names of 10 classes, one a line, found 2");
}

TEST(Cifar, TakesTheFineLabelsOfAHundred) {
  const test::Scratch scratch;
  const std::string folder = scratch / "hundred";
  save(folder + "/train.bin", record("\x13\x63", '\5') + record("\1\2", '\6'));
  save(folder + "/test.bin", record("\3\4", '\7'));
  const Batch found = whole(read("cifar100:" + folder));
  EXPECT_TRUE(found.target.equal(at::tensor({99, 2}, at::kLong)));
  EXPECT_EQ(found.inputs[0][1][2][31][31].item<int>(), 8);
  EXPECT_TRUE(whole(read("cifar100:" + folder, Part::test)).target.equal(at::tensor({4}, at::kLong)));
  save(folder + "/test.bin", record("\x14\4", '\7'));
  EXPECT_EQ(test::message([&] { read("cifar100:" + folder, Part::test); }),
            folder + "/test.bin: record 0: expected a coarse label of 0 to 19, found 20");
}

TEST(Cifar, NamesWhatIsDamaged) {
  const test::Scratch scratch;
  const std::string folder = cifar10(scratch), second = folder + "/data_batch_2.bin",
                    last = folder + "/data_batch_5.bin";
  save(second, record({'\2'}, '\1') + record({'\xa'}, '\1') + record({'\2'}, '\1'));
  const std::string label = second + ": record 1: expected a label of 0 to 9, found 10";
  EXPECT_EQ(test::message([&] { read("cifar10:" + folder); }), label);
  save(last, record({'\5'}, '\1') + record({'\6'}, '\1').substr(0, 3072));
  const DatasetPtr found = read("cifar10:" + folder, Part::training, Damaged::skipped);
  EXPECT_EQ(found->skipped(), (std::vector<std::string>{label, last + ": record 1: expected 3073 bytes, found 3072"}));
  EXPECT_TRUE(whole(found).target.equal(at::tensor({1, 0, 2, 2, 3, 0, 4, 0, 5}, at::kLong)));
  EXPECT_EQ(hold_out(found, 0.5).first->skipped(), found->skipped());
  EXPECT_TRUE(read("cifar10:" + folder, Part::test, Damaged::skipped)->skipped().empty());

  save(folder + "/test_batch.bin", record({'\xff'}, '\1'));
  EXPECT_NE(test::message([&] {
              read("cifar10:" + folder, Part::test, Damaged::skipped);
            }).find("found none: the first of 1 says: " + folder + "/test_batch.bin: record 0"),
            std::string::npos);
  save(folder + "/test_batch.bin", "");
  EXPECT_EQ(test::message([&] { read("cifar10:" + folder, Part::test, Damaged::skipped); }),
            folder + "/test_batch.bin: expected records of pictures, found an empty file");
  std::filesystem::remove(second);
  EXPECT_NE(test::message([&] { read("cifar10:" + folder); }).find(second), std::string::npos);
}

}  // namespace
}  // namespace coppice::data
