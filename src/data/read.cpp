#include "coppice/data/read.hpp"

#include <array>
#include <filesystem>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/data/images.hpp"
#include "coppice/formats/npz.hpp"

#include "data/arrays.hpp"
#include "data/text.hpp"

namespace coppice::data {
namespace {

DatasetPtr read_fashion_mnist(const std::string& text, std::string_view rest, Part part) {
  if (!std::filesystem::exists(fashion_mnist_folder))
    throw Error("data \"" + text + "\": expected Debian's package dataset-fashion-mnist in " + fashion_mnist_folder +
                ", found none; idx:FOLDER reads another folder");
  const auto number = rest.empty() ? std::nullopt : whole_number(rest.substr(1));
  if (!rest.empty() && !number)
    throw Error("data \"" + text + "\": expected a number of samples behind the colon, found \"" +
                std::string(rest.substr(1)) + "\"");
  return read_idx_folder(fashion_mnist_folder, part, at_least_one(text, number));
}

DatasetPtr read_cifar(const std::string& text, std::string_view rest, Cifar kind, Part part, Damaged damaged) {
  const Numbered folder = split_number(rest);
  const std::int64_t most = at_least_one(text, folder.number);
  const DatasetPtr whole = read_cifar_folder(folder.name, kind, part, damaged);
  if (most > whole->size())
    throw Error(folder.name + ": expected " + std::to_string(most) + " pictures, found " +
                std::to_string(whole->size()));
  return most == 0 ? whole : first_samples(whole, most);
}

/// A name and a number that must be there.
Numbered name_and_number(const std::string& text, std::string_view rest, const char* expected) {
  Numbered out = split_number(rest);
  if (!out.number || *out.number < 1 || out.name.empty())
    throw Error("data \"" + text + "\": expected " + expected + ", a whole number of 1 or more, found \"" +
                std::string(rest) + "\"");
  return out;
}

DatasetPtr read_token_file(const std::string& text, std::string_view rest, Damaged damaged) {
  TokenType type = TokenType::uint16;
  for (const auto& [name, known] : {std::pair{":uint8", TokenType::uint8}, std::pair{":uint16", TokenType::uint16},
                                    std::pair{":uint32", TokenType::uint32}})
    if (rest.ends_with(name)) {
      type = known;
      rest.remove_suffix(std::string_view(name).size());
      break;
    }
  const Numbered file = name_and_number(
      text, rest,
      "FILE:LENGTH behind tokens:, and :uint8, :uint16 or :uint32 behind it where told, LENGTH the tokens of a row");
  return read_tokens(file.name, *file.number, type, damaged);
}

/// A word that is no file is one of the names above, misspelt.
void expect_file(const std::string& text) {
  constexpr std::array<std::string_view, 6> names{"fashion-mnist", "idx", "cifar10", "cifar100", "images", "tokens"};
  const std::string word = text.substr(0, text.find(':'));
  if (word.empty() || word.find_first_of("./,") != std::string::npos || std::filesystem::exists(word)) return;
  const std::string_view meant = base::nearest(word, names, 1).front();
  const bool close = base::edit_distance(word, meant) <= meant.size() / 2;
  throw Error("data \"" + text + "\": expected " + kinds_of_data + ", found no file \"" + word + "\"" +
              (close ? "; did you mean " + std::string(meant) + "?" : ""));
}

}  // namespace

DatasetPtr read(const std::string& text, Part part, Damaged damaged) {
  std::string_view rest = text;
  const auto take = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.remove_prefix(prefix.size());
    return true;
  };
  if (text == "fashion-mnist" || text.starts_with("fashion-mnist:"))
    return read_fashion_mnist(text, rest.substr(std::string_view("fashion-mnist").size()), part);
  if (take("idx:")) {
    const Numbered folder = split_number(rest);
    return read_idx_folder(folder.name, part, at_least_one(text, folder.number));
  }
  if (take("cifar10:")) return read_cifar(text, rest, Cifar::ten, part, damaged);
  if (take("cifar100:")) return read_cifar(text, rest, Cifar::hundred, part, damaged);
  if (take("images:")) {
    const Numbered folder =
        name_and_number(text, rest, "FOLDER:SIZE behind images:, SIZE the side that pictures are fitted to");
    return read_image_folder(folder.name, *folder.number, part, damaged);
  }
  if (take("tokens:")) return read_token_file(text, rest, damaged);
  const auto archive = formats::split_npz(text);
  if (archive) return read_npz_file(archive->first, archive->second, part);
  expect_file(text);
  return read_npy_files(text);
}

}  // namespace coppice::data
