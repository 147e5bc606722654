#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

#include "support/scratch.hpp"

namespace coppice::base {
namespace {

using test::Scratch;

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

template <class Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(AtomicFile, CommitPutsTheFileInPlace) {
  const Scratch folder;
  const std::string path = folder / "out";
  AtomicFile file(path);
  file.write("hello ");
  file.write(std::string(3'000'000, 'x'));
  EXPECT_EQ(file.position(), 3'000'006U);
  EXPECT_FALSE(std::filesystem::exists(path));
  file.commit();
  EXPECT_EQ(read(path), "hello " + std::string(3'000'000, 'x'));
  EXPECT_EQ(files_in(folder / ""), 1U);
}

TEST(AtomicFile, WithoutCommitTheTargetStaysAsItWas) {
  const Scratch folder;
  const std::string path = folder / "out";
  std::ofstream(path) << "old";
  {
    AtomicFile file(path);
    file.write("new");
    file.finish();
    EXPECT_EQ(read(path), "old");
  }
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(files_in(folder / ""), 1U);
}

TEST(AtomicFile, ReplacesAnExistingFile) {
  const Scratch folder;
  const std::string path = folder / "out";
  std::ofstream(path) << "old and longer";
  AtomicFile file(path);
  file.write("new");
  file.commit();
  EXPECT_EQ(read(path), "new");
}

TEST(AtomicFile, NamesAPathThatCannotBeWritten) {
  const Scratch folder;
  const std::string path = folder / "missing/out";
  EXPECT_NE(error_of([&] { AtomicFile file(path); }).find(path), std::string::npos);
}

TEST(AtomicFile, KeepsPermissions) {
  const Scratch folder;
  const std::string path = folder / "out";
  std::ofstream(path) << "old";
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  AtomicFile file(path);
  file.commit();
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(AtomicFile, ReplacesWhatALinkLeadsTo) {
  const Scratch folder;
  const std::string path = folder / "out", link = folder / "link";
  std::ofstream(path) << "old";
  std::filesystem::create_symlink("out", link);
  AtomicFile file(link);
  file.write("new");
  file.commit();
  EXPECT_EQ(read(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  std::filesystem::create_symlink("nowhere", folder / "dangling");
  EXPECT_NE(error_of([&] { AtomicFile dangling(folder / "dangling"); }).find("leads nowhere"), std::string::npos);
}

TEST(AtomicFile, RefusesWhatIsNoFile) {
  const Scratch folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(error_of([&] { AtomicFile file(pipe); }).find("regular file"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_NE(error_of([&] { AtomicFile file("/dev/null"); }).find("regular file"), std::string::npos);
}

TEST(AtomicFile, UnfinishedOnesCanBeRemovedAtOnce) {
  const Scratch folder;
  AtomicFile a(folder / "a"), b(folder / "b");
  a.write("half");
  EXPECT_EQ(files_in(folder / ""), 2U);
  remove_unfinished_files();
  EXPECT_EQ(files_in(folder / ""), 0U);
}

TEST(MappedFile, GivesTheBytes) {
  const Scratch folder;
  const std::string path = folder / "in";
  std::ofstream(path) << "abc";
  const auto file = MappedFile::open(path);
  ASSERT_EQ(file->bytes().size(), 3U);
  EXPECT_EQ(static_cast<char>(file->bytes()[2]), 'c');
  forget_pages(file->bytes());
  EXPECT_EQ(static_cast<char>(file->bytes()[0]), 'a');
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const Scratch folder;
  const std::string path = folder / "empty";
  std::ofstream(path).flush();
  EXPECT_TRUE(MappedFile::open(path)->bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNotAFile) {
  const Scratch folder;
  EXPECT_NE(error_of([&] { MappedFile::open(folder / "missing"); }).find("missing: cannot open"), std::string::npos);
  EXPECT_NE(error_of([&] { MappedFile::open(folder / ""); }).find("expected a regular file"), std::string::npos);
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(error_of([&] { MappedFile::open(pipe); }).find("expected a regular file"), std::string::npos);
}

}  // namespace
}  // namespace coppice::base
