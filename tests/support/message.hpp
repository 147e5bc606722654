#pragma once
#include <functional>
#include <string>

#include "coppice/base/error.hpp"

namespace coppice::test {

/// What the Error says that an action throws; "no error" when it throws none.
inline std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace coppice::test
