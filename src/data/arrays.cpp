#include "data/arrays.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/formats/npy.hpp"
#include "coppice/formats/npz.hpp"
#include "coppice/torch/tensors.hpp"

#include "data/text.hpp"
#include "torch/messages.hpp"

namespace coppice::data {
namespace {

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

}  // namespace

DatasetPtr read_npy_files(const std::string& text) {
  const auto load = [&](const std::string& path) {
    if (path.empty()) throw Error("data \"" + text + "\": expected " + kinds_of_data + ", found no file name");
    return to_torch(formats::read_npy(path));
  };
  return read_arrays(text, load, [](const std::string& path) { return path; });
}

namespace {

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

}  // namespace

DatasetPtr read_npz_file(const std::string& path, const std::string& arrays, Part part) {
  const formats::NpzFile file(path);
  return read_arrays(
      arrays.empty() ? usual_arrays(path, file.names(), part) : arrays,
      [&](const std::string& name) { return to_torch(file.read(name)); },
      [&](const std::string& name) { return path + ":" + name; });
}

}  // namespace coppice::data
