#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <zlib.h>

#include "coppice/formats/npy.hpp"

namespace coppice::test {

/// `value` in so many bytes, the lowest first.
inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) & 0xff : 0);
  return out;
}

/// An archive of stored arrays.
inline std::string npz(const std::vector<std::pair<std::string, tensor::Tensor>>& arrays) {
  std::string out, directory;
  for (const auto& [array, tensor] : arrays) {
    const std::string name = array + ".npy", content = formats::write_npy_bytes(tensor);
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<unsigned>(content.size()));
    const std::string common = little_endian(0, 8) + little_endian(crc, 4) + little_endian(content.size(), 4) +
                               little_endian(content.size(), 4) + little_endian(name.size(), 2) + little_endian(0, 2);
    directory += "PK\1\2" + little_endian(20, 2) + little_endian(20, 2) + common + little_endian(0, 10) +
                 little_endian(out.size(), 4) + name;
    out += "PK\3\4" + little_endian(20, 2) + common + name + content;
  }
  return out + directory + "PK\5\6" + little_endian(0, 4) + little_endian(arrays.size(), 2) +
         little_endian(arrays.size(), 2) + little_endian(directory.size(), 4) + little_endian(out.size(), 4) +
         little_endian(0, 2);
}

}  // namespace coppice::test
