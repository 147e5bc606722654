#pragma once
// libtorch's tensors and operators. The order matters: with Clang and C++20 the headers of 1.13 need IValue complete
// before List.h.
#include <ATen/core/ivalue.h>
// Then the rest.
#include <ATen/ATen.h>
