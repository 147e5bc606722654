#include "coppice/train/ticket.hpp"

#include <map>
#include <set>

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"

#include "torch/inplace/target.hpp"
#include "torch/messages.hpp"
#include "torch/save_archive.hpp"
#include "train/archive_entries.hpp"
#include "train/planned_cut.hpp"

namespace coppice {
namespace {

constexpr std::int64_t version = 1;

// Finding a tensor by its name must not depend on the order of a file.
const at::Tensor* find(const NamedTensors& tensors, const std::string& wanted) {
  for (const auto& [name, tensor] : tensors)
    if (name == wanted) return &tensor;
  return nullptr;
}

void expect_shape(const std::string& what, const at::Tensor& expected, const at::Tensor& found) {
  if (found.sizes() != expected.sizes())
    throw Error(what + ": expected " + shape_text(expected.sizes()) + ", found " + shape_text(found.sizes()));
}

}  // namespace

at::Tensor planned_cut(const pruning::Plan& plan, const std::string& name, at::Tensor tensor) {
  for (const pruning::PlanCut& cut : plan.cuts) {
    if (cut.parameter != name) continue;
    if (cut.axis >= tensor.dim() || tensor.size(cut.axis) != cut.length)
      throw Error("plan: \"" + name + "\" axis " + std::to_string(cut.axis) + ": expected length " +
                  std::to_string(cut.length) + ", found " + shape_text(tensor.sizes()));
    tensor = tensor.index_select(cut.axis, at::tensor(cut.kept, at::kLong).to(tensor.device()));
  }
  return tensor;
}

Ticket take_ticket(const Callable& model, std::int64_t epoch) {
  Ticket out{epoch, {}};
  for (const auto& [name, tensor] : inplace::make_target(model, {})->tensors())
    if (tensor.defined()) out.weights.emplace_back(name, tensor.detach().clone());
  return out;
}

void save_ticket(const Ticket& ticket, const std::string& path) {
  torch::serialize::OutputArchive archive;
  write_number(archive, "ticket_version", version);
  write_number(archive, "epoch", ticket.epoch);
  write_named(archive, "weights", ticket.weights);
  write_named(archive, "masks", ticket.masks);
  save_archive(archive, path);
}

Ticket load_ticket(const std::string& path) {
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path);
    if (const std::int64_t found = read_number(archive, "ticket_version"); found != version)
      throw Error("expected a ticket of version " + std::to_string(version) + ", found " + std::to_string(found));
    return {read_number(archive, "epoch"), read_named(archive, "weights"), read_named(archive, "masks")};
  } catch (const std::exception& error) {
    throw Error(path + ": " + first_line(error.what()));
  }
}

void reset_to_ticket(const Callable& model, const Ticket& ticket, const pruning::Plan& plan,
                     torch::optim::Optimizer* optimizer) {
  const at::NoGradGuard no_gradients;
  std::vector<std::pair<at::Tensor, at::Tensor>> changes;
  std::set<std::string> unused;
  for (const auto& mask : ticket.masks) unused.insert(mask.first);
  for (const auto& [name, tensor] : inplace::make_target(model, {})->tensors()) {
    if (!tensor.defined()) continue;
    const at::Tensor* const then = find(ticket.weights, name);
    if (!then && tensor.requires_grad()) throw Error("ticket: expected weights for \"" + name + "\", found none");
    if (!then) continue;  // a number that a cut wrote into a graph
    at::Tensor weight = planned_cut(plan, name, *then);
    expect_shape("ticket: \"" + name + "\"", tensor, weight);
    if (const at::Tensor* const mask = find(ticket.masks, name)) {
      const at::Tensor left = planned_cut(plan, name, *mask);
      expect_shape("ticket: mask of \"" + name + "\"", tensor, left);
      weight = weight * left.to(weight.options());
      unused.erase(name);
    }
    changes.emplace_back(tensor, weight);
  }
  if (!unused.empty())
    throw Error("ticket: expected masks of the model's weights, found one for \"" + *unused.begin() + "\"");
  for (auto& [tensor, weight] : changes) tensor.copy_(weight);
  if (optimizer) optimizer->state().clear();
}

}  // namespace coppice
