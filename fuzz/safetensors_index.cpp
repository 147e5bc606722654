// Any bytes either are refused with an Error or make an index of files that lie in its folder, with every name once.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "coppice/base/error.hpp"

#include "formats/safetensors/index.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::set<std::string_view> names;
    const auto index = coppice::formats::safetensors_detail::parse_index(text);
    for (const auto& [tensor, file] : index.files) {
      if (!names.insert(tensor).second || file.find('/') != file.npos || file == "..") std::abort();
    }
  } catch (const coppice::Error&) {
  }
  return 0;
}
