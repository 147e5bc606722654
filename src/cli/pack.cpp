#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/formats/packed.hpp"

#include "cli/app.hpp"
#include "cli/inspect_checkpoint.hpp"
#include "cli/model_files.hpp"
#include "cli/model_options.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"

namespace coppice::cli {
namespace {

using formats::PackReport;
using formats::SafetensorsSet;

/// The command line of both commands.
struct PackArguments {
  std::string from, out;
  ModelOptions common;
  bool json = false;
};

void check(const PackArguments& arguments, const char* from) {
  if (same_file(arguments.from, arguments.out)) throw UsageError(std::string(from) + " and -o name the same file");
  base::set_thread_count(arguments.common.threads);
}

void print(const PackArguments& arguments, const PackReport& report, const char* what) {
  if (arguments.json) {
    return print_json({{"file", arguments.from},
                       {"output", arguments.out},
                       {"tensors", report.tensors},
                       {"packed", report.packed},
                       {"bytes", {{"before", report.bytes_before}, {"after", report.bytes_after}}}});
  }
  const auto count = [](std::size_t number) { return analysis::with_separators(static_cast<std::int64_t>(number)); };
  cli::print(arguments.from + " -> " + arguments.out + "\n" + count(report.packed) + " of " + count(report.tensors) +
             " tensors " + what + " without their zeros\nfile size " + analysis::short_bytes(report.bytes_before) +
             " -> " + analysis::short_bytes(report.bytes_after) + "\n");
}

template <class Action>
auto naming(const std::string& file, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    const std::string text = error.what();
    throw Error(text.starts_with(file) ? text : file + ": " + text);
  }
}

PackReport pack_file(const PackArguments& arguments, Bar& bar) {
  if (is_checkpoint(arguments.from)) {
    const SafetensorsSet set(arguments.from);
    if (!set.sharded()) check_target(arguments.out);
    return formats::pack_checkpoint(set, arguments.out, &bar);
  }
  check_target(arguments.out);
  bar.begin("read", 0);
  const graph::Model model = formats::read_onnx(arguments.from);
  bar.end();
  spare_side_files("-o", arguments.out, false, arguments.from, model);
  return formats::pack_model(model, arguments.out, &bar);
}

PackReport unpack_file(const PackArguments& arguments, Bar& bar) {
  const SafetensorsSet set(arguments.from);
  switch (formats::packed_kind(set.shards().front())) {
    case formats::Packed::checkpoint:
      if (!set.sharded()) check_target(arguments.out);
      return formats::unpack_checkpoint(set, arguments.out, &bar);
    case formats::Packed::model: {
      check_target(arguments.out);
      PackReport report{.bytes_before = set.file_bytes()};
      for (const std::string& written : {arguments.out, arguments.out + ".data"})
        if (same_file(set.path(), written))
          throw UsageError("-o: expected another file than what is read, found " + written);
      const graph::Model model = formats::unpack_model(set.shards().front(), &report);
      formats::write_onnx(model, arguments.out, {.progress = &bar});
      report.bytes_after = formats::onnx_bytes(model, arguments.out);
      return report;
    }
    case formats::Packed::no:
      break;
  }
  throw Error(set.path() + ": expected a file that coppice pack wrote");
}

using Work = PackReport (*)(const PackArguments&, Bar&);

void add(CLI::App& command, const char* from, const char* from_text, const char* out_text, const char* what,
         Work work) {
  auto arguments = std::make_shared<PackArguments>();
  add_file(command, from, arguments->from, from_text)->required();
  add_file(command, "-o,--out", arguments->out, out_text)->required();
  command.add_flag("--json", arguments->json, "Print one JSON object");
  add_threads_option(command, arguments->common);
  command.callback([arguments, from, what, work] {
    check(*arguments, from);
    Bar bar;
    print(*arguments, naming(arguments->from, [&] { return work(*arguments, bar); }), what);
  });
}

}  // namespace

void add_pack(CLI::App& app) {
  CLI::App* command = app.add_subcommand("pack", "Write a model or checkpoint in which zeros take one bit");
  add(*command, "MODEL", "ONNX file; or a checkpoint in safetensors: file, index of several, or folder",
      "Where to write (safetensors), a folder for a checkpoint of several files", "stand", &pack_file);
  command->footer(
      "coppice pack sparse.onnx -o sparse.packed.safetensors\n"
      "coppice pack checkpoint/ -o packed/");
}

void add_unpack(CLI::App& app) {
  CLI::App* command = app.add_subcommand("unpack", "Write what coppice pack was given, bit for bit");
  add(*command, "FILE", "What coppice pack wrote: file, index of several, or folder",
      "Where to write the model or checkpoint, a folder for one of several files", "stood", &unpack_file);
  command->footer(
      "coppice unpack sparse.packed.safetensors -o sparse.onnx\n"
      "coppice unpack packed/ -o checkpoint/");
}

}  // namespace coppice::cli
