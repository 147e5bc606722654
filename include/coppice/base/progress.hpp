#pragma once
#include <cstdint>
#include <string_view>

namespace coppice::base {

/// How the library tells about long work; the library itself never prints. Default: silence.
class Progress {
 public:
  virtual ~Progress() = default;
  /// A phase begins; `total` is its amount of work in any unit, 0 when unknown.
  virtual void begin(std::string_view /*phase*/, std::uint64_t /*total*/) {}
  /// `done` of the phase's total is finished.
  virtual void advance(std::uint64_t /*done*/) {}
  /// A few words on how it stands, such as "loss 0.31"; they hold until the next ones.
  virtual void note(std::string_view /*words*/) {}
  virtual void end() {}
};

}  // namespace coppice::base
