#pragma once
#include <stdexcept>
#include <string>

namespace coppice {

/// Work that could not be done: bad file, impossible request, failed check.
/// The message is one line that says where, what, what was expected and what was found. Names in it may come from
/// files: control characters become '?', and what is longer than a page is cut.
class Error : public std::runtime_error {
 public:
  explicit Error(std::string message) : std::runtime_error(one_line(std::move(message))) {}

 private:
  static std::string one_line(std::string message) {
    constexpr std::size_t limit = 2000;
    if (message.size() > limit) message = message.substr(0, limit) + "...";
    for (char& c : message)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return message;
  }
};

}  // namespace coppice
