#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coppice/train/callback.hpp"

#include "train/recipe/stage.hpp"

/// [sparsify] on one way.
namespace coppice::recipe {

/// Brings the weights that a lottery goes back to, as a stage where they are not those at the very beginning: `from`
/// is a model as [train] begins with, and becomes one as the rounds do. The way goes on with the model it had. False:
/// it was stopped.
bool make_ticket(const Recipe& recipe, Way& way, std::string& from);

/// Goes the stages of [sparsify], if there are any. `ticket` is the file of the weights that a lottery goes back to;
/// `by_chance`: zeros are drawn. False: it was stopped.
bool make_sparse(const Recipe& recipe, Way& way, const std::string& ticket, bool by_chance);

/// What keeps zero the weights that [sparsify] made so; nothing without it.
std::vector<std::shared_ptr<Callback>> kept_zeros(const Recipe& recipe, GraphModule& module);

}  // namespace coppice::recipe
