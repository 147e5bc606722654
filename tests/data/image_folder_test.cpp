#include <gtest/gtest.h>

#include "coppice/data/images.hpp"

#include "data/small.hpp"
#include "support/message.hpp"
#include "support/pictures.hpp"
#include "support/scratch.hpp"

namespace coppice::data {
namespace {

using namespace std::string_literals;

std::string grey_jpeg(std::uint8_t shade) {
  return test::jpeg(std::vector<std::uint8_t>(64, shade), 8, 8);
}

std::string grey_png(char shade, int side = 8) {
  return test::png(std::vector(static_cast<std::size_t>(side), std::string(static_cast<std::size_t>(side), shade)),
                   side, {.colour = 0});
}

// Two cats of the shades 10 and 20, three dogs of 30, 40 and 50.
std::string animals(const test::Scratch& scratch) {
  const std::string folder = scratch / "ani:mals";
  save(folder + "/dog/2.PNG", grey_png('\x28', 16));
  save(folder + "/dog/1.jpg", grey_jpeg(30));
  save(folder + "/dog/more/a.jpeg", grey_jpeg(50));
  save(folder + "/cat/b.png", grey_png('\x14'));
  save(folder + "/cat/a.jpg", grey_jpeg(10));
  save(folder + "/cat/notes.txt", "no picture");
  save(folder + "/cat/.hidden.png", "no picture");
  save(folder + "/.cache/a.png", "no picture");
  save(folder + "/readme.txt", "no class");
  return folder;
}

std::vector<std::int64_t> shades(const at::Tensor& pictures) {
  const at::Tensor first = pictures.select(1, 0).select(1, 0).select(1, 0).to(at::kLong).contiguous();
  return {first.data_ptr<std::int64_t>(), first.data_ptr<std::int64_t>() + first.numel()};
}

TEST(ImageFolder, NumbersClassesByName) {
  const test::Scratch scratch;
  const std::string folder = animals(scratch);
  const DatasetPtr found = read("images:" + folder + ":8");
  EXPECT_EQ(found->class_names(), (std::vector<std::string>{"cat", "dog"}));
  const Batch all = whole(found);
  EXPECT_EQ(all.inputs.at(0).sizes(), (std::vector<std::int64_t>{5, 3, 8, 8}));
  EXPECT_TRUE(all.target.equal(at::tensor({0, 0, 1, 1, 1}, at::kLong)));
  EXPECT_EQ(shades(all.inputs[0]), (std::vector<std::int64_t>{10, 20, 30, 40, 50}));
  EXPECT_EQ(shades(found->gather(at::tensor({3, 0}, at::kLong)).inputs.at(0)), (std::vector<std::int64_t>{40, 10}));
  EXPECT_EQ(whole(read("images:" + folder + ":4")).inputs[0].size(3), 4);
}

TEST(ImageFolder, GivesTheSameWithAnyNumberOfWorkers) {
  const test::Scratch scratch;
  const std::string folder = animals(scratch);
  save(folder + "/dog/0.jpg", grey_jpeg(30).substr(0, 150));
  const LoaderOptions options{.batch_size = 2, .seed = 4, .transforms = {random_crop(5), random_flip()}};
  std::vector<Batch> expected;
  for (const int workers : {0, 1, 3}) {
    LoaderOptions with = options;
    with.workers = workers;
    const std::vector<Batch> found = batches(read_image_folder(folder, 8, Part::training, Damaged::skipped), with);
    if (workers == 0) expected = found;
    ASSERT_EQ(found.size(), 3U);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(found[i].inputs.at(0).equal(expected[i].inputs[0]));
      EXPECT_TRUE(found[i].target.equal(expected[i].target));
    }
  }
}

TEST(ImageFolder, SkipsDamagedPicturesOnlyIfAsked) {
  const test::Scratch scratch;
  const std::string folder = animals(scratch);
  save(folder + "/dog/0.jpg", grey_jpeg(30).substr(0, 150));
  save(folder + "/cat/z.png", "GIF89a");
  const DatasetPtr refusing = read_image_folder(folder, 8);
  EXPECT_EQ(refusing->size(), 7);
  const std::string gif = folder + "/cat/z.png: expected a JPEG or PNG picture: it begins as neither";
  EXPECT_EQ(test::message([&] { whole(refusing); }), gif);
  const DatasetPtr found = read_image_folder(folder, 8, Part::training, Damaged::skipped);
  EXPECT_EQ(found->skipped(),
            (std::vector<std::string>{
                gif, folder + "/dog/0.jpg: expected a JPEG or PNG picture: Premature end of JPEG file"}));
  EXPECT_EQ(shades(whole(found).inputs[0]), (std::vector<std::int64_t>{10, 20, 30, 40, 50}));
  EXPECT_TRUE(whole(found).target.equal(at::tensor({0, 0, 1, 1, 1}, at::kLong)));
  EXPECT_EQ(found->class_names(), refusing->class_names());
}

TEST(ImageFolder, HasPartsWhereTheFoldersAre) {
  const test::Scratch scratch;
  const std::string folder = scratch / "parts";
  save(folder + "/train/cat/a.jpg", grey_jpeg(10));
  save(folder + "/train/dog/a.jpg", grey_jpeg(20));
  EXPECT_EQ(test::message([&] { read_image_folder(folder, 8, Part::test); }),
            folder + ": expected a folder test or val beside train, found none");
  save(folder + "/val/dog/b.jpg", grey_jpeg(30));
  EXPECT_EQ(read_image_folder(folder, 8)->size(), 2);
  const Batch val = whole(read_image_folder(folder, 8, Part::test));
  EXPECT_TRUE(val.target.equal(at::tensor({1}, at::kLong)));
  save(folder + "/test/cat/c.jpg", grey_jpeg(40));
  EXPECT_EQ(shades(whole(read_image_folder(folder, 8, Part::test)).inputs[0]), (std::vector<std::int64_t>{40}));
  save(folder + "/test/cow/c.jpg", grey_jpeg(40));
  EXPECT_EQ(test::message([&] { read_image_folder(folder, 8, Part::test); }),
            folder + "/test/cow: expected a class of " + folder + "/train, found another");
  // A class may have such a name.
  save(folder + "/bus/c.jpg", grey_jpeg(50));
  EXPECT_EQ(read_image_folder(folder, 8, Part::test)->class_names(),
            (std::vector<std::string>{"bus", "test", "train", "val"}));
}

TEST(ImageFolder, SaysWhatIsMissing) {
  const test::Scratch scratch;
  const std::string folder = animals(scratch);
  EXPECT_NE(test::message([&] { read("images:" + folder); }).find("expected FOLDER:SIZE behind images:"),
            std::string::npos);
  EXPECT_NE(test::message([&] { read("images:" + folder + ":0"); }).find("of 1 or more"), std::string::npos);
  EXPECT_NE(test::message([&] { read("images:" + folder + "/nowhere:8"); }).find("nowhere: expected a folder"),
            std::string::npos);
  EXPECT_EQ(test::message([&] { read("images:" + folder + "/cat:8"); }),
            folder + "/cat: expected a folder for each class, found none");
  std::filesystem::create_directory(folder + "/ant");
  EXPECT_EQ(test::message([&] { read("images:" + folder + ":8"); }),
            folder + "/ant: expected pictures (.jpg, .jpeg, .png), found none");
}

}  // namespace
}  // namespace coppice::data
