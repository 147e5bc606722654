#pragma once
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "coppice/formats/safetensors.hpp"
#include "coppice/formats/safetensors_set.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice::test {

/// The length of the header, the header, the data: as the format's text says, by hand.
inline std::string safetensors(const std::string& header, const std::string& data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out + header + data;
}

inline formats::SafetensorsFile open_safetensors(const std::string& file) {
  return {tensor::Bytes::copy(std::as_bytes(std::span(file))), "a.safetensors"};
}

inline void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string get(const std::string& path) {
  std::stringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

inline std::string text_of(const tensor::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace coppice::test
