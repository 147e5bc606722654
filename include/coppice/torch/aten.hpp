#pragma once
// libtorch's tensors and operators. The order matters: with Clang and C++20 the headers of 1.13 need IValue complete
// before List.h.
#include <ATen/core/ivalue.h>
// Then the rest.
#include <ATen/ATen.h>
#include <torch/version.h>

namespace coppice {

/// While it lives, this thread's warnings of libtorch, such as that an operator's interface may still change, go
/// nowhere: a library does not print.
class Silence {
#if TORCH_VERSION_MAJOR < 2
  struct Nowhere : c10::WarningHandler {
    void process(const c10::SourceLocation&, const std::string&, bool) override {}
  };
  Nowhere nowhere_;
  c10::Warning::WarningHandlerGuard guard_{&nowhere_};
#else
  struct Nowhere : c10::WarningHandler {
    void process(const c10::Warning&) override {}
  };
  Nowhere nowhere_;
  c10::WarningUtils::WarningHandlerGuard guard_{&nowhere_};
#endif
};

}  // namespace coppice
