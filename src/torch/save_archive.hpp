#pragma once
#include <string>

namespace torch::serialize {
class OutputArchive;
}

namespace coppice {

/// Writes an archive to a file, which is complete or as it was.
void save_archive(torch::serialize::OutputArchive& archive, const std::string& path);

}  // namespace coppice
