#pragma once
#include <exception>
#include <functional>
#include <string>

#include <c10/util/Exception.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/calibration.hpp"

#include "torch/messages.hpp"

namespace coppice::scoring {

/// The number of samples of a batch. Throws Error for a batch without samples, with tensors of different lengths, or
/// without a target where one is needed; `where` are words for it.
std::int64_t samples_of(const Batch& batch, bool needs_target, const std::string& where);
void move_to(Batch& batch, at::Device device);

/// Calls back with every batch that is to be used, checked and on `device`, and with words for it; returns the number
/// of samples. Throws Error for no data, and as samples_of() does.
std::int64_t for_each_batch(const Calibration& calibration, at::Device device, bool needs_target,
                            const std::function<void(const Batch&, const std::string& where)>& callback);

/// What libtorch or a user's function throws becomes an Error that begins with `where`.
template <class Work>
auto guarded(const std::string& where, Work work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    throw Error(where + ": " + first_line(error));
  } catch (const std::exception& error) {
    throw Error(where + ": " + error.what());
  }
}

}  // namespace coppice::scoring
