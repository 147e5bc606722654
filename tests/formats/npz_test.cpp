#include "coppice/formats/npz.hpp"

#include <optional>

#include <gtest/gtest.h>
#include <zlib.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/npy.hpp"

namespace coppice::formats {
namespace {

using tensor::DType;
using tensor::Tensor;

/// One entry of a zip file, written by hand so that every field can lie.
struct Entry {
  std::string name, content;
  bool deflated = false;
  int flags = 0;
  std::optional<std::uint32_t> size, packed, crc, offset;
  std::optional<int> method;
};

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::string deflated(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
std::string zip(const std::vector<Entry>& entries, std::optional<int> count = {}) {
  std::string out, directory;
  for (const Entry& entry : entries) {
    const std::string packed = entry.deflated ? deflated(entry.content) : entry.content;
    const auto* bytes = reinterpret_cast<const Bytef*>(entry.content.data());
    const auto crc =
        entry.crc.value_or(static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(entry.content.size()))));
    const std::string common = number(static_cast<std::uint64_t>(entry.flags), 2) +
                               number(static_cast<std::uint64_t>(entry.method.value_or(entry.deflated ? 8 : 0)), 2) +
                               number(0, 4) + number(crc, 4) +
                               number(entry.packed.value_or(static_cast<std::uint32_t>(packed.size())), 4) +
                               number(entry.size.value_or(static_cast<std::uint32_t>(entry.content.size())), 4) +
                               number(entry.name.size(), 2) + number(0, 2);
    directory += "PK\1\2" + number(20, 2) + number(20, 2) + common + number(0, 2) + number(0, 2) + number(0, 2) +
                 number(0, 4) + number(entry.offset.value_or(static_cast<std::uint32_t>(out.size())), 4) + entry.name;
    out += "PK\3\4" + number(20, 2) + common + entry.name + packed;
  }
  const auto listed = static_cast<std::uint64_t>(count.value_or(static_cast<int>(entries.size())));
  return out + directory + "PK\5\6" + number(0, 4) + number(listed, 2) + number(listed, 2) +
         number(directory.size(), 4) + number(out.size(), 4) + number(0, 2);
}

NpzFile open(const std::string& text) {
  return {tensor::Bytes::copy(std::as_bytes(std::span(text))), "a.npz"};
}

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string refused_array(const Entry& entry) {
  return refusal([&] { open(zip({entry})).read("x"); });
}

std::string npy(const std::vector<float>& values) {
  return write_npy_bytes(Tensor::of<float>(DType::float32, {static_cast<std::int64_t>(values.size())}, values));
}

TEST(Npz, ReadsStoredAndDeflatedArrays) {
  const std::vector<float> ramp(5000, 2.5f);
  const NpzFile file = open(zip({{.name = "x.npy", .content = npy({1, 2, 3})},
                                 {.name = "readme.txt", .content = "not an array"},
                                 {.name = "deep/y.npy", .content = npy(ramp), .deflated = true}}));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"x", "deep/y"}));
  const Tensor y = file.read("deep/y"), x = file.read("x");
  EXPECT_EQ(x.shape, tensor::Shape{3});
  EXPECT_EQ(element_as_double(x, 2), 3);
  EXPECT_EQ(y.shape, tensor::Shape{5000});
  EXPECT_EQ(element_as_double(y, 4999), 2.5);
  EXPECT_EQ(open(zip({{.name = "text", .content = "x"}})).names().size(), 0u);
}

// What numpy.savez writes: sizes in extra fields of 64 bits, since it does not know them when it begins.
TEST(Npz, ReadsSizesOf64Bits) {
  const std::string array = npy({7, 8});
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(array.data()), static_cast<uInt>(array.size()));
  const std::string begin = number(45, 2) + number(0, 2) + number(0, 2) + number(0, 4) + number(crc, 4);
  const std::string wide = number(1, 2) + number(16, 2) + number(array.size(), 8) + number(array.size(), 8);
  const std::string local = "PK\3\4" + begin + number(0xffffffff, 4) + number(0xffffffff, 4) + number(9, 2) +
                            number(wide.size(), 2) + "arr_0.npy" + wide + array;
  const std::string directory = "PK\1\2" + number(45, 2) + begin + number(array.size(), 4) + number(array.size(), 4) +
                                number(9, 2) + number(0, 8) + number(0, 8) + "arr_0.npy";
  const std::string end = "PK\5\6" + number(0, 4) + number(1, 2) + number(1, 2) + number(directory.size(), 4) +
                          number(local.size(), 4) + number(0, 2);
  EXPECT_EQ(element_as_double(open(local + directory + end).read("arr_0"), 1), 8);
}

TEST(Npz, RefusesWhatIsNoArchive) {
  const std::string good = zip({{.name = "x.npy", .content = npy({1, 2, 3})}});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal([&] { open(good.substr(0, size)); }), "no error") << size << " bytes";
  EXPECT_EQ(refusal([&] { open("hello"); }), "a.npz: expected a zip file of NumPy arrays: it is no zip file");
  EXPECT_EQ(refusal([&] {
              open(zip({{.name = "x.npy", .content = "1"}, {.name = "x.npy", .content = "2"}}));
            }),
            "a.npz: expected a zip file of NumPy arrays: two arrays are named \"x\"");
  EXPECT_EQ(refusal([&] { open(zip({{.name = std::string(2000, 'x') + ".npy", .content = "1"}})); }),
            "a.npz: expected a zip file of NumPy arrays: a name is longer than 1024 bytes");
  EXPECT_NE(refusal([&] { open(zip({{.name = "x.npy", .content = "1"}}, 9)); }), "no error");
}

TEST(Npz, RefusesArraysThatCannotBe) {
  const std::string array = npy({1, 2, 3});
  EXPECT_EQ(refusal([&] {
              open(zip({{.name = "y.npy", .content = array}, {.name = "z.npy", .content = array}})).read("x");
            }),
            "a.npz: expected an array \"x\", found y, z");
  EXPECT_EQ(refusal([&] { open(zip({{.name = "text", .content = "x"}})).read("x"); }),
            "a.npz: expected an array \"x\", found none");
  const std::string where = "a.npz: array \"x\": ";
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .flags = 1}), where + "it is encrypted");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .method = 12}),
            where + "expected it stored or deflated, found compression method 12");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = "text"}),
            "a.npz:x: expected a NumPy array: it does not begin as one");
  // Nothing is allocated for sizes that the file cannot hold.
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .size = 0x7fffffff}),
            where + "expected at most 140 bytes out of 140, found 2147483647");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .size = 0x7fffffff, .packed = 0x7fffffff}),
            where + "expected at most the file's 248 bytes, found 2147483647");
  const Entry packed{.name = "x.npy", .content = "abc", .deflated = true, .size = 0x7fffffff};
  EXPECT_EQ(refused_array(packed), where + "expected at most 5160 bytes out of 5, found 2147483647");
}

TEST(Npz, RefusesDamage) {
  const std::string array = npy({1, 2, 3}), where = "a.npz: array \"x\": ";
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .crc = 1}), where + "its checksum differs");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .offset = 1}),
            where + "its place in the file is damaged");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .offset = 0x7fffffff}),
            where + "its place in the file is damaged");
  // Larger than what is there, but not impossible.
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .deflated = true, .size = 1000}),
            where + "its compressed data are damaged or end early");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .method = 8}),
            where + "its compressed data are damaged or end early");
  EXPECT_EQ(refused_array({.name = "x.npy", .content = array, .deflated = true, .size = 130}),
            where + "its checksum differs");
}

TEST(Npz, NamesAreSplit) {
  using Parts = std::optional<std::pair<std::string, std::string>>;
  EXPECT_EQ(split_npz("a/pairs.npz"), Parts({"a/pairs.npz", ""}));
  EXPECT_EQ(split_npz("pairs.npz:x:y"), Parts({"pairs.npz", "x:y"}));
  EXPECT_EQ(split_npz("old.npz.d/pairs.npz:x"), Parts({"old.npz.d/pairs.npz", "x"}));
  EXPECT_EQ(split_npz("x.npy:y.npy"), std::nullopt);
  EXPECT_EQ(split_npz("x.npzz"), std::nullopt);
}

}  // namespace
}  // namespace coppice::formats
