#pragma once
#include <string>

#include "coppice/data/dataset.hpp"

namespace coppice::data {

/// Which samples of data that come in two parts.
enum class Part { training, test };

/// Reads what `text` names:
///   x.npy:y.npy           inputs and targets; several inputs as a.npy,b.npy:y.npy; inputs alone as x.npy
///   pairs.npz[:X:Y]       the same of the arrays X (or A,B) and Y in that file; without names, its only array, x and
///   y,
///                         arr_0 and arr_1, or x_train and y_train, of which x_test and y_test are the test part
///   fashion-mnist[:N]     the (first N) pictures [N, 1, 28, 28] of Debian's package dataset-fashion-mnist
///   idx:FOLDER[:N]        the same of a folder with files named as MNIST's, compressed or not
/// Throws Error, which names the file; npy files, and arrays that are named, have no parts: `part` is
/// not looked at.
DatasetPtr read(const std::string& text, Part part = Part::training);

/// The pictures and labels of a folder with files named as MNIST's; `most` 0: all.
DatasetPtr read_idx_folder(const std::string& folder, Part part = Part::training, std::int64_t most = 0);
/// Where Debian's package keeps Fashion-MNIST.
inline constexpr const char* fashion_mnist_folder = "/usr/share/datasets/fashion-mnist";

}  // namespace coppice::data
