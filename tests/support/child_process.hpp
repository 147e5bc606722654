#pragma once
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace coppice::test {

/// A program that answers one line for each line it is given. Ends with its owner.
class ChildProcess {
 public:
  /// argv[0] is the program's path. Throws std::system_error when it cannot be started.
  explicit ChildProcess(const std::vector<std::string>& argv);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Sends `line` and waits for the answer; nothing when the process ended or took longer than `seconds`.
  std::optional<std::string> ask(const std::string& line, int seconds);

 private:
  bool send(const std::string& text);
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  std::string pending_;
};

}  // namespace coppice::test
