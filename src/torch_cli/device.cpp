#include "torch_cli/device.hpp"

#include <thread>

#include <ATen/Parallel.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

#include "cli/app.hpp"

namespace coppice::cli {

at::Device parse_device(const std::string& text) {
  if (text.empty() || text == "cpu") return at::kCPU;
  const bool indexed = text.starts_with("cuda:") && text.size() > 5 && text.size() < 8 &&
                       text.find_first_not_of("0123456789", 5) == std::string::npos;
  if (text != "cuda" && !indexed) throw UsageError("--device: expected cpu or cuda, found '" + text + "'");
  if (!at::hasCUDA()) throw Error("--device " + text + ": this machine has no CUDA device, or this libtorch no CUDA");
  return at::Device(text);
}

void use_threads(int threads) {
  base::set_thread_count(threads);
  at::set_num_threads(threads > 0 ? threads : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace coppice::cli
