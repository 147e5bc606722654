// Any bytes either are refused with an Error or make a file whose tensors can be read, whose written form is the same
// bytes, and whose header written anew reads the same.
#include "coppice/formats/safetensors.hpp"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>

#include "coppice/base/error.hpp"

namespace {
using namespace coppice::formats;

std::string whole(const SafetensorsLayout& layout, const std::string& data) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(layout.header.size() >> (8 * i) & 0xff);
  return out + layout.header + data;
}

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span(data, size));
  std::optional<SafetensorsFile> file;
  try {
    file.emplace(coppice::tensor::Bytes::copy(input), "input");
  } catch (const coppice::Error&) {
    return 0;
  }
  std::string tensors;
  for (std::size_t i = 0; i < file->entries().size(); ++i) {
    expect(file->find(file->entries()[i].name) == i);
    const auto bytes = file->bytes(i).span();
    tensors.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  expect(whole(file->layout(), tensors) == std::string_view(reinterpret_cast<const char*>(data), size));
  const std::string anew = whole(SafetensorsLayout::of(file->entries(), file->layout().metadata), tensors);
  const SafetensorsFile again(coppice::tensor::Bytes::copy(std::as_bytes(std::span(anew))), "again");
  expect(again.entries().size() == file->entries().size() && again.layout().metadata == file->layout().metadata);
  for (std::size_t i = 0; i < again.entries().size(); ++i) {
    const auto &a = file->entries()[i], &b = again.entries()[i];
    expect(a.name == b.name && a.type == b.type && a.shape == b.shape && a.begin == b.begin && a.end == b.end);
  }
  return 0;
}
