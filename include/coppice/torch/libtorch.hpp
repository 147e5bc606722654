#pragma once
// What this room needs of libtorch, and the place where the differences between its versions (1.13 and 2.x) are kept.
#include "coppice/torch/aten.hpp"
// torch/nn/modules.h does not stand alone, and takes long: whoever needs a certain module includes it.
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
