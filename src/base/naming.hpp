#pragma once
#include <string>

#include "coppice/base/error.hpp"

namespace coppice::base {

/// What the work gives; the message of an Error then begins with `where`.
template <class Work>
auto naming(const std::string& where, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw Error(where + ": " + error.what());
  }
}

}  // namespace coppice::base
