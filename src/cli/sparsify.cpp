#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/sparsity/mask_file.hpp"

#include "cli/app.hpp"
#include "cli/inspect_checkpoint.hpp"
#include "cli/model_files.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/sparsify_checkpoint.hpp"
#include "cli/sparsify_report.hpp"
#include "cli/torch_services.hpp"

namespace coppice::cli {
namespace {

/// By the weights alone, or by masks that were read.
SparsifyOutcome by_weights(const SparsifyArguments& arguments, const std::vector<sparsity::LayerMask>& masks,
                           graph::Model& model) {
  const sparsity::Sparsifier sparsifier =
      arguments.masks.empty() ? sparsity::Sparsifier(model, arguments.options) : sparsity::Sparsifier(masks);
  return {.layers = sparsifier.apply(model), .left = sparsifier.left(), .masks = sparsifier.masks()};
}

SparsifyOutcome by_data(const SparsifyArguments& arguments, TorchServices& services, graph::Model& model) {
  SparsifyOutcome out = services.sparsify(arguments, model);
  if (arguments.masks_out.empty() || !out.masks.empty()) return out;
  std::vector<std::string> names;
  for (const sparsity::ZeroCount& layer : out.layers) names.push_back(layer.name);
  out.masks = sparsity::masks_of_zeros(model, names);
  return out;
}

/// How each layer's weight is stored. Constants of nodes stay dense.
std::vector<formats::Encoding> encodings(const graph::Model& model, const std::vector<sparsity::ZeroCount>& layers) {
  std::vector<formats::Encoding> out;
  for (const sparsity::ZeroCount& layer : layers) {
    const graph::Value& value = model.graph.values[static_cast<std::size_t>(model.graph.find(layer.name))];
    const bool sparse =
        value.initializer >= 0 &&
        formats::smaller_sparse(model.graph.initializers[static_cast<std::size_t>(value.initializer)].tensor);
    out.push_back(sparse ? formats::Encoding::sparse_initializer : formats::Encoding::dense);
  }
  return out;
}

/// What is told of the result's size, also of a dry run's.
void measure(const SparsifyArguments& arguments, const graph::Model& model, SparsifyOutcome& outcome) {
  outcome.sizes = sizes_of(model, arguments.out.empty() ? arguments.model : arguments.out);
  if (arguments.encoding == formats::Encoding::dense) return;
  outcome.encodings = encodings(model, outcome.layers);
  for (const EncodedSize& size : outcome.sizes)
    if (size.encoding == to_string(arguments.encoding)) outcome.bytes_after = size.bytes;
}

/// All results are complete before the first of them is put in place.
void write(const SparsifyArguments& arguments, const graph::Model& model, Bar& bar, SparsifyOutcome& outcome) {
  std::optional<formats::StagedModel> out;
  if (!arguments.dry_run)
    out.emplace(model, arguments.out, formats::WriteOptions{.encoding = arguments.encoding, .progress = &bar});
  if (!arguments.masks_out.empty()) sparsity::write_masks(outcome.masks, arguments.masks_out);
  if (!out) return;
  out->commit();
  std::uint64_t constants = 0;
  for (const graph::Initializer& initializer : model.graph.initializers) constants += initializer.tensor.bytes.size();
  outcome.bytes_after = written_bytes(model, arguments.out, constants);
}

SparsifyOutcome sparsify_model(const SparsifyArguments& arguments, TorchServices* services) {
  if (!arguments.dry_run) check_target(arguments.out);
  if (!arguments.masks_out.empty()) check_target(arguments.masks_out);
  const std::vector<sparsity::LayerMask> masks =
      arguments.masks.empty() ? std::vector<sparsity::LayerMask>() : sparsity::read_masks(arguments.masks);
  Bar bar;
  bar.begin("read", 0);
  graph::Model model = formats::read_onnx(arguments.model);
  bar.end();
  if (!arguments.dry_run)
    spare_side_files("-o", arguments.out, !same_file(arguments.out, arguments.model), arguments.model, model);
  spare_side_files("--masks-out", arguments.masks_out, false, arguments.model, model);
  const std::uint64_t bytes = model.source_bytes;
  SparsifyOutcome outcome;
  try {
    outcome = looks_at_data(arguments) ? by_data(arguments, *services, model) : by_weights(arguments, masks, model);
  } catch (const Error& error) {
    throw Error(arguments.model + ": " + error.what());
  }
  outcome.bytes_before = outcome.bytes_after = bytes;
  measure(arguments, model, outcome);
  write(arguments, model, bar, outcome);
  return outcome;
}

void sparsify(SparsifyArguments& arguments, const CLI::App& command, TorchServices* services) {
  finish(arguments, command);
  const bool checkpoint = is_checkpoint(arguments.model);
  if (checkpoint) check_checkpoint_options(arguments);
  if (looks_at_data(arguments) && !services) throw HandOver();
  if (arguments.dry_run && !arguments.out.empty()) say("--dry-run: nothing is written to " + arguments.out);
  base::set_thread_count(arguments.common.threads);
  const SparsifyOutcome outcome = checkpoint ? sparsify_checkpoint(arguments) : sparsify_model(arguments, services);
  if (arguments.json) {
    print_json(sparsify_json(arguments, outcome));
  } else {
    print(sparsify_text(arguments, outcome));
  }
}

}  // namespace

void add_sparsify(CLI::App& app, TorchServices* services) {
  auto arguments = std::make_shared<SparsifyArguments>();
  CLI::App* command = app.add_subcommand("sparsify", "Write zeros into a model's weights; shapes stay");
  add_sparsify_options(*command, *arguments);
  command->footer(
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 50%\n"
      "coppice sparsify model.onnx -o sparse.onnx --sparsity 80% --context global\n"
      "coppice sparsify model.onnx -o sparse.onnx --pattern 2:4 --keep-classifier\n"
      "coppice sparsify m.onnx -o s.onnx --pattern 2:4 --criterion wanda --data x.npy\n"
      "coppice sparsify model.onnx --sparsity 50% --layer layer4=90% --dry-run\n"
      "coppice sparsify m.onnx -o s.onnx --sparsity 90% --encoding sparse_initializer\n"
      "coppice sparsify model.onnx --pattern 2:4 --dry-run --masks-out m.safetensors\n"
      "coppice sparsify tuned.onnx -o sparse.onnx --masks m.safetensors\n"
      "coppice sparsify checkpoint/ -o sparse/ --pattern 2:4 --ignore '*norm*'");
  command->callback([arguments, command, services] { sparsify(*arguments, *command, services); });
}

}  // namespace coppice::cli
