#pragma once
#include <stdexcept>
#include <string>

namespace coppice {

/// Work that could not be done: bad file, impossible request, failed check.
/// The message is one line that says where, what, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace coppice
