#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/onnx/writer.hpp"

namespace coppice::formats {
namespace {
using namespace onnx_detail;

constexpr std::uint64_t protobuf_limit = std::numeric_limits<std::int32_t>::max();

// Since which version weights need not be inputs, and since which they may be sparse.
constexpr std::int64_t weights_apart = 4, sparse_weights = 6;

/// To what sparse initializers need. An input that has an initializer was a constant before and could be overridden
/// afterwards, so that it goes.
void raise_version(onnx::ModelProto& proto) {
  onnx::GraphProto& graph = *proto.mutable_graph();
  if (graph.sparse_initializer_size() == 0 || proto.ir_version() >= sparse_weights) return;
  if (proto.ir_version() < weights_apart) {
    std::set<std::string_view> constants;
    for (const auto& initializer : graph.initializer()) constants.insert(initializer.name());
    for (const auto& initializer : graph.sparse_initializer()) constants.insert(initializer.values().name());
    auto& inputs = *graph.mutable_input();
    inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                                [&](const auto& input) { return constants.contains(input.name()); }),
                 inputs.end());
  }
  proto.set_ir_version(sparse_weights);
}

std::string model_skeleton(const graph::Model& model, WriteContext& context) {
  onnx::ModelProto proto;
  merge_extra(proto, model.extra, Kind::model, context);
  if (model.ir_version != 0) proto.set_ir_version(model.ir_version);
  if (!model.producer_name.empty()) proto.set_producer_name(model.producer_name);
  if (!model.producer_version.empty()) proto.set_producer_version(model.producer_version);
  for (const graph::OpsetImport& import : model.opsets) {
    auto& opset = *proto.add_opset_import();
    if (!import.domain.empty()) opset.set_domain(import.domain);
    opset.set_version(import.version);
  }
  write_graph(model.graph, *proto.mutable_graph(), context);
  raise_version(proto);
  for (const graph::Function& function : model.functions) write_function(function, *proto.add_functions(), context);
  const std::size_t size = proto.ByteSizeLong();
  if (size > protobuf_limit)
    throw Error("the model is too large: " + std::to_string(size) + " bytes besides the raw data of tensors");
  return proto.SerializePartialAsString();
}

class FileSink final : public Sink {
 public:
  FileSink(base::AtomicFile& file, const std::function<void(std::uint64_t)>& written)
      : file_(file), written_(written) {}
  void write(std::span<const std::byte> bytes) override {
    file_.write(bytes);
    if (file_.position() - told_ < step) return;
    written_(told_ = file_.position());
  }

 private:
  static constexpr std::uint64_t step = std::uint64_t{1} << 20;
  base::AtomicFile& file_;
  const std::function<void(std::uint64_t)>& written_;
  std::uint64_t told_ = 0;
};

struct Prepared {
  SidePlan side;
  WriteContext context;
  std::string skeleton;

  Prepared(const graph::Model& model, const std::string& location, bool large, const WriteOptions& options)
      : side(location, large) {
    if (options.external != WriteOptions::External::none) context.side = &side;
    context.encoding = options.encoding;
    skeleton = model_skeleton(model, context);
  }
  std::uint64_t inside() const { return full_size(skeleton, Kind::model, context.blobs); }
};

/// The large tensors of a model beyond protobuf's limit go to the side file. Fills `ready`; a Prepared refers to
/// itself.
void prepare(const graph::Model& model, const std::string& location, const WriteOptions& options,
             std::optional<Prepared>& ready) {
  using External = WriteOptions::External;
  ready.emplace(model, location, options.external == External::large, options);
  if (options.external == External::keep && ready->inside() > protobuf_limit)
    ready.emplace(model, location, true, options);
  if (const std::uint64_t size = ready->inside(); size > protobuf_limit)
    throw Error("expected less than 2 GiB in one file, found " + std::to_string(size) + " bytes");
}

std::string side_name(const std::string& path) {
  return std::filesystem::path(path + ".data").filename().string();
}

}  // namespace

struct StagedModel::Files {
  explicit Files(const std::string& path) : model(path) {}
  base::AtomicFile model;
  std::optional<base::AtomicFile> side;
};

StagedModel::StagedModel(const graph::Model& model, const std::string& path, const WriteOptions& options) {
  std::optional<Prepared> ready;
  try {
    prepare(model, side_name(path), options, ready);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  files_ = std::make_unique<Files>(path);
  base::Progress silent;
  base::Progress& progress = options.progress ? *options.progress : silent;
  const std::uint64_t inside = ready->inside();
  progress.begin("write", inside + ready->side.size());
  const std::function<void(std::uint64_t)> told = [&](std::uint64_t bytes) { progress.advance(bytes); };
  FileSink sink(files_->model, told);
  write_full(ready->skeleton, Kind::model, ready->context.blobs, sink);
  files_->model.finish();
  if (!ready->side.empty()) {
    files_->side.emplace(path + ".data");
    ready->side.write(*files_->side, [&](std::uint64_t bytes) { progress.advance(inside + bytes); });
    files_->side->finish();
  }
  progress.end();
}

StagedModel::~StagedModel() = default;
StagedModel::StagedModel(StagedModel&&) noexcept = default;

void StagedModel::commit() {
  if (files_->side) files_->side->commit();
  files_->model.commit();
}

void write_onnx(const graph::Model& model, const std::string& path, const WriteOptions& options) {
  StagedModel(model, path, options).commit();
}

std::uint64_t onnx_bytes(const graph::Model& model, const std::string& path, const WriteOptions& options) {
  std::optional<Prepared> ready;
  prepare(model, side_name(path), options, ready);
  return ready->inside() + ready->side.size();
}

std::string write_onnx_bytes(const graph::Model& model, Encoding encoding) {
  WriteContext context;
  context.encoding = encoding;
  return full_message(model_skeleton(model, context), Kind::model, context.blobs);
}

}  // namespace coppice::formats
