#pragma once

namespace coppice::cli {

/// While it lives, the first SIGINT or SIGTERM asks the work to end, and a second one ends the program as usual.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  static bool requested();
};

}  // namespace coppice::cli
