#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "coppice/formats/safetensors.hpp"

#include "cli/program.hpp"

#if defined(__has_feature)
#define COPPICE_ADDRESS_SANITIZER __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define COPPICE_ADDRESS_SANITIZER 1
#else
#define COPPICE_ADDRESS_SANITIZER 0
#endif

namespace coppice::test {
namespace {

constexpr std::int64_t mebibyte = 1 << 20;

// Weights of 8 MiB; all zero, so that the disk holds next to nothing.
std::string large_checkpoint(const Scratch& scratch, int weights) {
  std::vector<formats::SafetensorsEntry> entries;
  for (int i = 0; i < weights; ++i) {
    formats::SafetensorsEntry& entry = entries.emplace_back();
    entry.name = "layers." + std::to_string(i) + ".weight";
    entry.dtype = tensor::DType::float32;
    entry.shape = {1024, 2048};
  }
  const auto layout = formats::SafetensorsLayout::of(std::move(entries), {});
  const std::string path = scratch / "large.safetensors";
  std::string begin;
  for (int i = 0; i < 8; ++i) begin += static_cast<char>(layout.header.size() >> (8 * i) & 0xff);
  std::ofstream(path, std::ios::binary) << begin << layout.header;
  std::filesystem::resize_file(path, layout.file_bytes());
  return path;
}

TEST(CheckpointMemory, DoesNotGrowWithTheFile) {
  if (COPPICE_ADDRESS_SANITIZER) GTEST_SKIP() << "the address sanitizer keeps memory of its own";
  const Scratch scratch;
  const std::string in = large_checkpoint(scratch, 64);
  EXPECT_GT(std::filesystem::file_size(in), 512 * mebibyte);
  const std::vector<std::vector<std::string>> commands{
      {"sparsify", in, "-o", scratch / "out.safetensors", "--pattern", "2:4"},
      {"pack", in, "-o", scratch / "packed.safetensors"},
      {"unpack", scratch / "packed.safetensors", "-o", scratch / "out.safetensors"},
      {"inspect", in}};
  for (const std::vector<std::string>& command : commands) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_LT(outcome.peak_bytes, 192 * mebibyte) << command.front() << " " << command.back();
  }
}

// What has been read of the mapped files is given back in pieces of up to half a GiB.
TEST(CheckpointMemory, OfAGlobalChoiceIsBoundedToo) {
  if (COPPICE_ADDRESS_SANITIZER) GTEST_SKIP() << "the address sanitizer keeps memory of its own";
  const Scratch scratch;
  const std::string in = large_checkpoint(scratch, 160);
  const Outcome outcome = run({"sparsify", in, "--dry-run", "--sparsity", "50%", "--context", "global"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_LT(outcome.peak_bytes, 640 * mebibyte);
}

}  // namespace
}  // namespace coppice::test
