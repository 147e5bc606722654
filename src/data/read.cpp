#include "coppice/data/read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "coppice/base/error.hpp"
#include "coppice/formats/idx.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/formats/npz.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/messages.hpp"

namespace coppice::data {
namespace {

constexpr std::string_view fashion_mnist = "fashion-mnist", idx = "idx:";

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::int64_t count(const std::string& text, std::string_view number) {
  const auto out = whole_number(number);
  if (!out || *out < 1)
    throw Error("data \"" + text + "\": expected a number of samples of 1 or more behind the colon, found \"" +
                std::string(number) + "\"");
  return *out;
}

/// "INPUT,INPUT:TARGET", where `load` gives the array that a part names, and `where` tells of a name in messages.
DatasetPtr read_arrays(std::string_view text, const std::function<at::Tensor(const std::string&)>& load,
                       const std::function<std::string(const std::string&)>& where) {
  const std::size_t colon = text.rfind(':');
  const std::string_view inputs = text.substr(0, colon);
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= inputs.size();) {
    const std::size_t end = std::min(inputs.find(',', begin), inputs.size());
    names.emplace_back(inputs.substr(begin, end - begin));
    begin = end + 1;
  }
  std::vector<at::Tensor> tensors;
  const auto add = [&](const std::string& name) {
    at::Tensor tensor = load(name);
    if (tensor.dim() == 0 || tensor.size(0) == 0)
      throw Error(where(name) + ": expected an array with a first axis of samples, found " +
                  shape_text(tensor.sizes()));
    if (!tensors.empty() && tensors.front().size(0) != tensor.size(0))
      throw Error(where(name) + ": expected " + std::to_string(tensors.front().size(0)) + " samples, as in " +
                  where(names.front()) + ", found " + std::to_string(tensor.size(0)));
    return tensor;
  };
  for (const std::string& name : names) tensors.push_back(add(name));
  const bool target = colon != std::string_view::npos;
  return std::make_shared<TensorDataset>(tensors, target ? add(std::string(text.substr(colon + 1))) : at::Tensor());
}

DatasetPtr read_npy_files(const std::string& text) {
  const auto load = [&](const std::string& path) {
    if (path.empty())
      throw Error("data \"" + text +
                  "\": expected x.npy:y.npy, pairs.npz[:X:Y], fashion-mnist[:N] or idx:FOLDER[:N], found no file name");
    return to_torch(formats::read_npy(path));
  };
  return read_arrays(text, load, [](const std::string& path) { return path; });
}

/// What is meant by a file alone; the first one of which all arrays are there.
std::string usual_arrays(const std::string& path, const std::vector<std::string>& found, Part part) {
  if (found.size() == 1) return found.front();
  const std::string split = part == Part::training ? "train" : "test";
  for (const auto& [input, target] : {std::pair<std::string, std::string>{"x", "y"}, {"arr_0", "arr_1"}})
    if (found.size() == 2 && std::is_permutation(found.begin(), found.end(), std::array{input, target}.begin()))
      return input + ":" + target;
  const std::string input = "x_" + split, target = "y_" + split;
  const auto there = [&](const std::string& name) {
    return std::find(found.begin(), found.end(), name) != found.end();
  };
  if (there(input) && there(target)) return input + ":" + target;
  std::string list;
  for (const std::string& name : found) list += (list.empty() ? "" : ", ") + name;
  throw Error(path + ": expected one array, x and y, arr_0 and arr_1, or " + input + " and " + target + ", found " +
              (list.empty() ? "none" : list) + "; name them as " + path + ":INPUT:TARGET");
}

DatasetPtr read_npz_file(const std::string& path, const std::string& arrays, Part part) {
  const formats::NpzFile file(path);
  return read_arrays(
      arrays.empty() ? usual_arrays(path, file.names(), part) : arrays,
      [&](const std::string& name) { return to_torch(file.read(name)); },
      [&](const std::string& name) { return path + ":" + name; });
}

std::string find_file(const std::string& folder, const std::string& name) {
  for (const std::string& candidate : {folder + "/" + name, folder + "/" + name + ".gz"})
    if (std::filesystem::exists(candidate)) return candidate;
  throw Error(folder + ": expected " + name + " or " + name + ".gz there, found none");
}

}  // namespace

DatasetPtr read_idx_folder(const std::string& folder, Part part, std::int64_t most) {
  const std::string split = part == Part::training ? "train" : "t10k";
  const std::string pictures_path = find_file(folder, split + "-images-idx3-ubyte");
  const std::string labels_path = find_file(folder, split + "-labels-idx1-ubyte");
  at::Tensor pictures = to_torch(formats::read_idx(pictures_path)), labels = to_torch(formats::read_idx(labels_path));
  if (pictures.dim() != 3 || pictures.scalar_type() != at::kByte || pictures.size(0) == 0)
    throw Error(pictures_path + ": expected pictures of bytes, found " + std::to_string(pictures.dim()) +
                " dimensions");
  if (labels.dim() != 1 || labels.size(0) != pictures.size(0))
    throw Error(labels_path + ": expected a label for each of " + std::to_string(pictures.size(0)) +
                " pictures, found " + std::to_string(labels.dim() == 1 ? labels.size(0) : 0));
  if (most > pictures.size(0))
    throw Error(pictures_path + ": expected " + std::to_string(most) + " pictures, found " +
                std::to_string(pictures.size(0)));
  if (most > 0) {
    pictures = pictures.narrow(0, 0, most).clone();
    labels = labels.narrow(0, 0, most);
  }
  return std::make_shared<TensorDataset>(std::vector{pictures.unsqueeze(1)}, labels.to(at::kLong));
}

DatasetPtr read(const std::string& text, Part part) {
  const std::string_view view = text;
  if (view.starts_with(fashion_mnist) && (view.size() == fashion_mnist.size() || view[fashion_mnist.size()] == ':')) {
    if (!std::filesystem::exists(fashion_mnist_folder))
      throw Error("data \"" + text + "\": expected Debian's package dataset-fashion-mnist in " + fashion_mnist_folder +
                  ", found none; idx:FOLDER reads another folder");
    const bool all = view.size() == fashion_mnist.size();
    return read_idx_folder(fashion_mnist_folder, part, all ? 0 : count(text, view.substr(fashion_mnist.size() + 1)));
  }
  if (!view.starts_with(idx)) {
    const auto archive = formats::split_npz(view);
    return archive ? read_npz_file(archive->first, archive->second, part) : read_npy_files(text);
  }
  const std::string_view rest = view.substr(idx.size());
  const std::size_t colon = rest.rfind(':');
  // A folder's name may hold a colon.
  if (colon == std::string_view::npos || !whole_number(rest.substr(colon + 1)))
    return read_idx_folder(std::string(rest), part);
  return read_idx_folder(std::string(rest.substr(0, colon)), part, count(text, rest.substr(colon + 1)));
}

}  // namespace coppice::data
