#include <gtest/gtest.h>

#include "coppice/data/read.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/torch/tensors.hpp"

#include "data/small.hpp"
#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice::data {
namespace {

using namespace std::string_literals;
using Row = std::vector<std::int64_t>;

TEST(Tokens, AreRowsAndWhatFollows) {
  const test::Scratch scratch;
  const std::string file = scratch / "to:kens.bin";
  // 1 2 3 65535 5 6 7 8
  save(file, "\1\0\2\0\3\0\xff\xff\5\0\6\0\7\0\x8\0"s);
  const DatasetPtr found = read("tokens:" + file + ":3");
  EXPECT_EQ(found->size(), 2);
  const Batch both = found->gather(at::tensor({1, 0}, at::kLong));
  EXPECT_TRUE(both.inputs.at(0).equal(at::tensor({65535, 5, 6, 1, 2, 3}, at::kLong).reshape({2, 3})));
  EXPECT_TRUE(both.target.equal(at::tensor({5, 6, 7, 2, 3, 65535}, at::kLong).reshape({2, 3})));
  EXPECT_EQ(read("tokens:" + file + ":7")->size(), 1);
  EXPECT_EQ(test::message([&] { read("tokens:" + file + ":8"); }),
            file + ": expected a row of 8 tokens and the one that follows, found 8 tokens");
  const Batch wide = whole(read("tokens:" + file + ":3:uint32"));
  EXPECT_TRUE(wide.inputs.at(0).equal(at::tensor(Row{0x20001, 0xffff0003, 0x60005}, at::kLong).reshape({1, 3})));
  EXPECT_TRUE(wide.target.equal(at::tensor(Row{0xffff0003, 0x60005, 0x80007}, at::kLong).reshape({1, 3})));
  save(file, "Wort\xff\0"s);
  const Batch text = whole(read("tokens:" + file + ":5:uint8"));
  EXPECT_TRUE(text.inputs.at(0).equal(at::tensor(Row{'W', 'o', 'r', 't', 255}, at::kLong).reshape({1, 5})));
  EXPECT_TRUE(text.target.equal(at::tensor(Row{'o', 'r', 't', 255, 0}, at::kLong).reshape({1, 5})));
  EXPECT_EQ(
      test::message([&] { read("tokens:" + file + ":5:uint64"); }),
      "data \"tokens:" + file +
          ":5:uint64\": expected FILE:LENGTH behind tokens:, and :uint8, :uint16 or :uint32 behind it where told, "
          "LENGTH the tokens of a row, a whole number of 1 or more, found \"" +
          file + ":5:uint64\"");
  save(file, "\1\0\2\0\3\0\xff\xff\5\0\6\0\7\0\x8\0"s);
  for (const int workers : {1, 3})
    EXPECT_TRUE(batches(found, {.batch_size = 1, .seed = 2, .workers = workers})[0].target.equal(
        batches(found, {.batch_size = 1, .seed = 2})[0].target));
  const auto [rest, aside] = hold_out(found, 0.5);
  EXPECT_EQ(rest->size() + aside->size(), 2);
}

TEST(Tokens, ComeFromNpyFilesToo) {
  const test::Scratch scratch;
  const std::string file = scratch / "tokens.npy";
  for (const at::ScalarType type : {at::kByte, at::kChar, at::kShort, at::kInt, at::kLong}) {
    formats::write_npy(to_coppice(at::arange(7, type)), file);
    const Batch found = whole(read("tokens:" + file + ":2"));
    EXPECT_TRUE(found.inputs.at(0).equal(at::arange(6, at::kLong).reshape({3, 2})));
    EXPECT_TRUE(found.target.equal(at::arange(1, 7, at::kLong).reshape({3, 2})));
  }
  formats::write_npy(to_coppice(at::zeros({2, 3}, at::kInt)), file);
  EXPECT_EQ(test::message([&] { read("tokens:" + file + ":2"); }),
            file + ": expected whole numbers with one axis, found int32 2x3");
  formats::write_npy(to_coppice(at::zeros({6})), file);
  EXPECT_NE(test::message([&] { read("tokens:" + file + ":2"); }).find("found float32 6"), std::string::npos);
}

TEST(Tokens, NameWhatIsDamaged) {
  const test::Scratch scratch;
  const std::string file = scratch / "tokens.npy", raw = scratch / "tokens.bin";
  formats::write_npy(to_coppice(at::tensor({1, 2, 3, -4, 5, 6, 7}, at::kInt)), file);
  const std::string wrong = file + ": token 3: expected 0 or more, found -4";
  EXPECT_EQ(test::message([&] { whole(read("tokens:" + file + ":2")); }), wrong);
  // Both rows that hold it: as input, and as the last target of the row before were the rows of length 3.
  const DatasetPtr found = read("tokens:" + file + ":2", Part::training, Damaged::skipped);
  EXPECT_EQ(found->skipped(), std::vector<std::string>{wrong});
  EXPECT_TRUE(whole(found).inputs.at(0).equal(at::tensor({1, 2, 5, 6}, at::kLong).reshape({2, 2})));
  EXPECT_EQ(read("tokens:" + file + ":3", Part::training, Damaged::refused)->size(), 2);
  EXPECT_NE(
      test::message([&] { read("tokens:" + file + ":3", Part::training, Damaged::skipped); }).find("first of 2 says"),
      std::string::npos);
  save(raw, "\1\0\2\0\3"s);
  EXPECT_EQ(test::message([&] { read("tokens:" + raw + ":1"); }),
            raw + ": expected whole numbers of 2 bytes, found 5 bytes");
  save(raw, "");
  EXPECT_NE(test::message([&] { read("tokens:" + raw + ":1"); }).find("found 0 tokens"), std::string::npos);
  EXPECT_NE(test::message([&] { read("tokens:" + raw); }).find("expected FILE:LENGTH behind tokens:"),
            std::string::npos);
}

}  // namespace
}  // namespace coppice::data
