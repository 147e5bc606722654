#include "torch/save_archive.hpp"

#include <torch/serialize/archive.h>

#include "coppice/base/atomic_file.hpp"

namespace coppice {

void save_archive(torch::serialize::OutputArchive& archive, const std::string& path) {
  base::AtomicFile file(path);
  archive.save_to([&](const void* data, std::size_t size) {
    file.write({static_cast<const char*>(data), size});
    return size;
  });
  file.finish();
  file.commit();
}

}  // namespace coppice
