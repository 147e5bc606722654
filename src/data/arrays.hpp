#pragma once
#include <string>

#include "coppice/data/read.hpp"

namespace coppice::data {

/// "x.npy:y.npy" and the like.
DatasetPtr read_npy_files(const std::string& text);
/// `arrays` is "X:Y" and the like, or nothing for the usual ones.
DatasetPtr read_npz_file(const std::string& path, const std::string& arrays, Part part);

}  // namespace coppice::data
