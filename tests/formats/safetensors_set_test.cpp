#include <gtest/gtest.h>

#include "formats/safetensors_support.hpp"

namespace coppice::formats {
namespace {
using test::get;
using test::message;
using test::put;
using test::safetensors;

const std::string shard_one = safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "12");
const std::string shard_two = safetensors(
    R"({"c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
    "34");
constexpr const char* index_name = "model.safetensors.index.json";
const std::string index_text = R"({
  "metadata": {"total_size": 4, "more": {"x": [1]}},
  "weight_map": {"b": "two.safetensors", "a": "one.safetensors", "c": "two.safetensors"}
})";

struct Folder {
  explicit Folder(const std::string& index = index_text) {
    put(scratch / "one.safetensors", shard_one);
    put(scratch / "two.safetensors", shard_two);
    put(scratch / index_name, index);
  }
  std::string refusal() const {
    const std::string found = message([&] { SafetensorsSet(scratch / ""); }), before = (scratch / index_name) + ": ";
    return found.starts_with(before) ? found.substr(before.size()) : found;
  }
  test::Scratch scratch;
};

std::string refusal(const std::string& index) {
  return Folder(index).refusal();
}

TEST(SafetensorsSet, OpensFileIndexAndFolder) {
  const Folder folder;
  for (const std::string& path : {folder.scratch / "", folder.scratch / index_name}) {
    const SafetensorsSet set(path);
    EXPECT_TRUE(set.sharded());
    EXPECT_EQ(set.path(), folder.scratch / index_name);
    EXPECT_EQ(set.names(), (std::vector<std::string>{"two.safetensors", "one.safetensors"}));
    ASSERT_EQ(set.shards().size(), 2u);
    EXPECT_EQ(set.shards()[0].entries()[0].name, "c");
    EXPECT_EQ(set.index(), index_text);
    EXPECT_EQ(set.file_bytes(), shard_one.size() + shard_two.size() + index_text.size());
  }
  const SafetensorsSet one(folder.scratch / "one.safetensors");
  EXPECT_FALSE(one.sharded());
  EXPECT_EQ(one.file_bytes(), shard_one.size());
  const test::Scratch single;
  put(single / "only.safetensors", shard_one);
  EXPECT_EQ(SafetensorsSet(single / "").path(), single / "only.safetensors");
}

TEST(SafetensorsSet, RefusesFoldersThatLeaveAChoice) {
  const test::Scratch scratch;
  const std::string folder = scratch / "";
  EXPECT_EQ(message([&] { SafetensorsSet{folder}; }),
            folder + ": expected a safetensors file or an index of several, found neither");
  put(scratch / "b.safetensors", shard_one);
  put(scratch / "a.safetensors", shard_one);
  EXPECT_EQ(message([&] { SafetensorsSet{folder}; }),
            folder + ": expected one *.safetensors or an index of several, found a.safetensors, b.safetensors");
  put(scratch / "x.safetensors.index.json", index_text);
  put(scratch / "y.safetensors.index.json", index_text);
  EXPECT_EQ(message([&] { SafetensorsSet{folder}; }),
            folder +
                ": expected one *.safetensors.index.json, found x.safetensors.index.json, "
                "y.safetensors.index.json");
}

TEST(SafetensorsSet, RefusesWhatDoesNotFitTogether) {
  const auto map = [](const std::string& pairs) { return "{\"weight_map\":{" + pairs + "}}"; };
  const std::string good = R"("a":"one.safetensors","b":"two.safetensors","c":"two.safetensors")";
  EXPECT_EQ(refusal(map(good)), "no error");
  EXPECT_EQ(refusal(map(good + R"(,"d":"three.safetensors")")), "the shard three.safetensors is missing");
  EXPECT_EQ(refusal(map(good + R"(,"d":"one.safetensors")")),
            "tensor \"d\" is not in one.safetensors, where weight_map says it is");
  EXPECT_EQ(refusal(map(R"("a":"two.safetensors","b":"two.safetensors")")),
            "tensor \"a\" is not in two.safetensors, where weight_map says it is");
  EXPECT_EQ(refusal(map(R"("a":"one.safetensors","b":"two.safetensors")")),
            "tensor \"c\" of two.safetensors is not in weight_map");
  EXPECT_EQ(refusal(R"({"metadata":{"total_size":5},"weight_map":{)" + good + "}}"),
            "metadata: total_size: expected 4, the bytes of all 3 tensors, found 5");
  const Folder twice;
  put(twice.scratch / "one.safetensors", shard_two);
  put(twice.scratch / index_name, map(R"("b":"one.safetensors","c":"two.safetensors")"));
  EXPECT_EQ(twice.refusal(), "tensor \"c\" is in one.safetensors too, but weight_map has it in two.safetensors");
  const Folder cut;
  put(cut.scratch / "two.safetensors", shard_two.substr(0, shard_two.size() - 1));
  EXPECT_EQ(cut.refusal(), (cut.scratch / "two.safetensors") +
                               ": expected a safetensors file: tensor \"b\": expected offsets that ascend, up to 1, "
                               "found 1 to 2");
}

TEST(SafetensorsSet, RefusesAnIndexThatIsNone) {
  EXPECT_EQ(refusal("[]"), "expected an object, found array");
  EXPECT_EQ(refusal("{"), "byte 2: expected JSON, found something else");
  EXPECT_EQ(refusal("{}"), "expected a field \"weight_map\", found none");
  EXPECT_EQ(refusal(R"({"weight_map":[]})"), "weight_map: expected an object, found array");
  EXPECT_EQ(refusal(R"({"weight_map":{}})"), "weight_map: expected tensors, found none");
  EXPECT_EQ(refusal(R"({"weight_map":{"a":1}})"),
            "weight_map: tensor \"a\": expected the name of a file, found number");
  EXPECT_EQ(refusal(R"({"weight_map":{"a":"one.safetensors","a":"two.safetensors"}})"), "\"a\" stands twice");
  EXPECT_EQ(refusal(R"({"weight_map":{},"weight_map":{}})"), "\"weight_map\" stands twice");
  for (const char* name : {"", ".", "..", "../one.safetensors", "/etc/passwd", "x\\\\y"})
    EXPECT_NE(
        refusal(std::string(R"({"weight_map":{"a":")") + name + "\"}}").find("expected the name of a file in the"),
        std::string::npos)
        << name;
  EXPECT_EQ(refusal(R"({"more":)" + std::string(100, '[')), "expected at most 16 levels of nesting, found more");
  EXPECT_EQ(refusal(R"({"weight_map":{"a":{}}})"),
            "weight_map: tensor \"a\": expected the name of a file, found object");
  EXPECT_EQ(refusal(R"({"metadata":{"total_size":[4]},"weight_map":{"a":"one.safetensors"}})"),
            "metadata: total_size: expected a number of bytes, found a list");
  EXPECT_EQ(refusal(R"({"metadata":{"total_size":1e999},"weight_map":{"a":"one.safetensors"}})"),
            "expected JSON with numbers in range, found others");
  EXPECT_EQ(refusal(R"({"metadata":{"total_size":"4"},"weight_map":{"a":"one.safetensors"}})"),
            "metadata: total_size: expected a number of bytes, found \"4\"");
}

void copy_all(const SafetensorsSet& set, StagedSafetensors& staged) {
  for (std::size_t shard = 0; shard < set.shards().size(); ++shard) {
    SafetensorsWriter& writer = staged.begin(shard);
    for (std::size_t i = 0; i < set.shards()[shard].entries().size(); ++i) writer.write(set.shards()[shard].bytes(i));
  }
}

TEST(SafetensorsSet, IsWrittenWholeOrNotAtAll) {
  const Folder folder;
  const SafetensorsSet set(folder.scratch / "");
  const std::string target = folder.scratch / "new";
  {
    StagedSafetensors staged(set, target);
    staged.begin(0).write(set.shards()[0].bytes(0));
    EXPECT_EQ(message([&] { staged.commit(); }),
              target + "/two.safetensors: expected 1 more bytes of tensors, found none");
  }
  EXPECT_FALSE(std::filesystem::exists(target));
  {
    StagedSafetensors staged(set, target);
    copy_all(set, staged);
    EXPECT_FALSE(std::filesystem::exists(target + "/one.safetensors"));
    staged.commit();
  }
  EXPECT_EQ(get(target + "/one.safetensors"), shard_one);
  EXPECT_EQ(get(target + "/two.safetensors"), shard_two);
  EXPECT_EQ(get(target + "/" + index_name), index_text);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(target), {}), 3);
  // Into the folder that it was read from.
  StagedSafetensors staged(set, folder.scratch / "");
  copy_all(set, staged);
  staged.commit();
  EXPECT_EQ(get(folder.scratch / "two.safetensors"), shard_two);
  EXPECT_EQ(
      message([&] { StagedSafetensors(set, folder.scratch / "one.safetensors"); }),
      (folder.scratch / "one.safetensors") + ": expected a folder for a checkpoint of several files, found a file");
  const SafetensorsSet one(folder.scratch / "one.safetensors");
  StagedSafetensors to_folder(one, target);
  EXPECT_EQ(message([&] { to_folder.begin(0); }), target + ": is a folder");
}

}  // namespace
}  // namespace coppice::formats
