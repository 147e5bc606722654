#include <algorithm>

#include "coppice/base/error.hpp"

#include "torch/kernels/bodies.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using Tensors = std::vector<at::Tensor>;

// Axes and directions of what is scanned and of what is collected; those that are not given are 0.
struct Scan {
  Body body;
  std::size_t scanned;
  std::vector<std::int64_t> in_axes, in_backwards, out_axes, out_backwards;

  static std::int64_t get(const std::vector<std::int64_t>& list, std::size_t i) {
    return i < list.size() ? list[i] : 0;
  }

  // Carried values first, then what is scanned, `length` steps of it. Returns what is carried, then what is collected.
  Tensors run(Call& call, Tensors state, const Tensors& sequences, std::int64_t length) const {
    const std::size_t carried = state.size();
    if (body.output_count() < carried) throw Error("body: expected an output for each value that is carried");
    std::vector<Tensors> collected(body.output_count() - carried);
    for (std::int64_t step = 0; step < length; ++step) {
      Tensors inputs = state;
      for (std::size_t k = 0; k < sequences.size(); ++k)
        inputs.push_back(sequences[k].select(get(in_axes, k), get(in_backwards, k) ? length - 1 - step : step));
      Tensors out = body.run(call, std::move(inputs));
      for (std::size_t k = 0; k < carried; ++k) state[k] = std::move(out[k]);
      for (std::size_t k = 0; k < collected.size(); ++k) collected[k].push_back(std::move(out[carried + k]));
    }
    for (std::size_t k = 0; k < collected.size(); ++k) {
      if (get(out_backwards, k)) std::reverse(collected[k].begin(), collected[k].end());
      state.push_back(body.stack(collected[k], carried + k, get(out_axes, k)));
    }
    return state;
  }
};

std::size_t scanned_inputs(const Build& build, std::size_t operands) {
  const std::int64_t count = build.integer("num_scan_inputs", 0);
  if (count < 1 || static_cast<std::size_t>(count) > operands)
    throw Error("num_scan_inputs: expected 1 to " + std::to_string(operands) + ", found " + std::to_string(count));
  return static_cast<std::size_t>(count);
}

void expect_outputs(const Call& call, const Tensors& found) {
  if (found.size() < call.output_count())
    throw Error("body: expected " + std::to_string(call.output_count()) + " outputs, found " +
                std::to_string(found.size()));
}

// The first version has a batch axis in front of everything, and maybe a length for each of the batch.
void run_batches(Call& call, const Scan& scan) {
  const std::size_t carried = call.input_count() - 1 - scan.scanned;
  const std::int64_t batch = call.in(1 + carried).size(0), longest = call.in(1 + carried).size(1);
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(batch), longest);
  if (call.has(0)) lengths = call.ints(0);
  if (lengths.size() != static_cast<std::size_t>(batch))
    throw Error("sequence_lens: expected " + std::to_string(batch) + ", found " + std::to_string(lengths.size()));
  std::vector<Tensors> columns(call.output_count());
  for (std::int64_t n = 0; n < batch; ++n) {
    Tensors state, sequences;
    for (std::size_t k = 0; k < carried; ++k) state.push_back(call.in(1 + k).select(0, n));
    for (std::size_t k = 0; k < scan.scanned; ++k) sequences.push_back(call.in(1 + carried + k).select(0, n));
    const std::int64_t length = lengths[static_cast<std::size_t>(n)];
    if (length < 0 || length > longest)
      throw Error("sequence_lens: expected 0 to " + std::to_string(longest) + ", found " + std::to_string(length));
    Tensors out = scan.run(call, std::move(state), sequences, length);
    expect_outputs(call, out);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i >= carried && length < longest) {
        std::vector<std::int64_t> rest = out[i].sizes().vec();
        rest[0] = longest - length;
        out[i] = at::cat({out[i], at::zeros(rest, out[i].options())}, 0);
      }
      columns[i].push_back(out[i]);
    }
  }
  for (std::size_t i = 0; i < columns.size(); ++i) call.out(i, at::stack(columns[i], 0));
}

Kernel scan(const Build& build) {
  const bool batched = build.opset() < 9;
  const std::size_t operands = build.node().inputs.size() - (batched && !build.node().inputs.empty() ? 1 : 0);
  Scan made{Body(build, "body"),
            scanned_inputs(build, operands),
            build.integers("scan_input_axes"),
            build.integers(batched ? "directions" : "scan_input_directions"),
            build.integers("scan_output_axes"),
            build.integers("scan_output_directions")};
  return [batched, made = std::move(made)](Call& call) {
    if (batched) return run_batches(call, made);
    const std::size_t carried = call.input_count() - made.scanned;
    Tensors state, sequences;
    for (std::size_t k = 0; k < carried; ++k) state.push_back(call.in(k));
    for (std::size_t k = 0; k < made.scanned; ++k) sequences.push_back(call.in(carried + k));
    const std::int64_t length = sequences[0].size(Scan::get(made.in_axes, 0));
    const Tensors out = made.run(call, std::move(state), sequences, length);
    expect_outputs(call, out);
    for (std::size_t i = 0; i < call.output_count(); ++i) call.out(i, out[i]);
  };
}

}  // namespace

void add_scan_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Scan", scan});
}

}  // namespace coppice::executor
