#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/data/read.hpp"
#include "coppice/formats/idx.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/messages.hpp"

namespace coppice::data {
namespace {

std::string find_file(const std::string& folder, const std::string& name) {
  for (const std::string& candidate : {folder + "/" + name, folder + "/" + name + ".gz"})
    if (std::filesystem::exists(candidate)) return candidate;
  throw Error(folder + ": expected " + name + " or " + name + ".gz there, found none");
}

}  // namespace

DatasetPtr read_idx_folder(const std::string& folder, Part part, std::int64_t most) {
  if (folder.empty()) throw Error("data \"idx:\": expected a folder, found none");
  const std::string split = part == Part::training ? "train" : "t10k";
  const std::string pictures_path = find_file(folder, split + "-images-idx3-ubyte");
  const std::string labels_path = find_file(folder, split + "-labels-idx1-ubyte");
  at::Tensor pictures = to_torch(formats::read_idx(pictures_path)), labels = to_torch(formats::read_idx(labels_path));
  if (pictures.dim() != 3 || pictures.scalar_type() != at::kByte || pictures.size(0) == 0)
    throw Error(pictures_path + ": expected pictures of bytes, found " + c10::toString(pictures.scalar_type()) + " " +
                shape_text(pictures.sizes()));
  if (labels.dim() != 1 || labels.size(0) != pictures.size(0))
    throw Error(labels_path + ": expected a label for each of " + std::to_string(pictures.size(0)) +
                " pictures, found " + shape_text(labels.sizes()));
  if (labels.is_floating_point() || labels.min().item<std::int64_t>() < 0)
    throw Error(labels_path + ": expected whole numbers from 0 on, found " +
                (labels.is_floating_point() ? c10::toString(labels.scalar_type()) : "others"));
  if (most > pictures.size(0))
    throw Error(pictures_path + ": expected " + std::to_string(most) + " pictures, found " +
                std::to_string(pictures.size(0)));
  if (most > 0) {
    pictures = pictures.narrow(0, 0, most).clone();
    labels = labels.narrow(0, 0, most);
  }
  return std::make_shared<TensorDataset>(std::vector{pictures.unsqueeze(1)}, labels.to(at::kLong));
}

}  // namespace coppice::data
