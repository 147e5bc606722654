#pragma once
// What this room needs of libtorch, and the place where the differences between its versions (1.13 and 2.x) are kept.
#include "coppice/torch/aten.hpp"
// torch/nn/modules.h does not stand alone, and takes long: whoever needs a certain module includes it.
#include <string>
#include <type_traits>

#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

namespace coppice {

/// The key under which an optimizer remembers a parameter: a text in 1.13, a pointer later.
template <class Key>
Key optimizer_key(const at::Tensor& parameter) {
  if constexpr (std::is_same_v<Key, std::string>)
    return c10::guts::to_string(parameter.unsafeGetTensorImpl());
  else
    return parameter.unsafeGetTensorImpl();
}

}  // namespace coppice
