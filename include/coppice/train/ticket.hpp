#pragma once
#include <cstdint>
#include <string>

#include "coppice/pruning/plan.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/torch/evidence.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice {

/// Weights of an earlier moment of a training, to which the weights that survived a cut are set back: a winning ticket
/// of Frankle and Carbin, The Lottery Ticket Hypothesis, 2019; from a later moment than the first, Frankle et al.,
/// Stabilizing the Lottery Ticket Hypothesis, 2019.
struct Ticket {
  std::int64_t epoch = 0;  ///< Epochs trained by then.
  NamedTensors weights;    ///< Copies of parameters and buffers, by the names that a Pruner's plan uses.
  NamedTensors masks{};    ///< By parameter, in its shape: 0 for single weights that are zero from then on. None: none.
};

/// The model's weights as they are now.
Ticket take_ticket(const Callable& model, std::int64_t epoch = 0);

/// The file is complete or as it was.
void save_ticket(const Ticket& ticket, const std::string& path);
/// Throws Error when the file cannot be read or is not a ticket.
Ticket load_ticket(const std::string& path);

/// Gives the model the ticket's weights, in the widths that it has now, times the masks. `plan` is what was cut since
/// the ticket was taken: Pruner::plan(). The optimizer, when given, forgets what it remembers of the weights. Throws
/// Error, and changes nothing, when ticket and plan do not make the model's shapes.
void reset_to_ticket(const Callable& model, const Ticket& ticket, const pruning::Plan& plan = {},
                     torch::optim::Optimizer* optimizer = nullptr);

}  // namespace coppice
