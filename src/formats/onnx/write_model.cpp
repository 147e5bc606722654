#include <filesystem>
#include <functional>
#include <limits>
#include <optional>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "formats/onnx/writer.hpp"

namespace coppice::formats {
namespace {
using namespace onnx_detail;

constexpr std::uint64_t protobuf_limit = std::numeric_limits<std::int32_t>::max();

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

  Prepared(const graph::Model& model, const std::string& location, bool inside, bool large) : side(location, large) {
    if (!inside) context.side = &side;
    skeleton = model_skeleton(model, context);
  }
};

}  // namespace

struct StagedModel::Files {
  explicit Files(const std::string& path) : model(path) {}
  base::AtomicFile model;
  std::optional<base::AtomicFile> side;
};

StagedModel::StagedModel(const graph::Model& model, const std::string& path, const WriteOptions& options) {
  using External = WriteOptions::External;
  const std::string side_path = path + ".data";
  const std::string location = std::filesystem::path(side_path).filename().string();
  std::optional<Prepared> ready;
  try {
    ready.emplace(model, location, options.external == External::none, options.external == External::large);
    const auto size = [&] { return full_size(ready->skeleton, Kind::model, ready->context.blobs); };
    if (options.external == External::keep && size() > protobuf_limit) ready.emplace(model, location, false, true);
    if (size() > protobuf_limit)
      throw Error("expected less than 2 GiB in one file, found " + std::to_string(size()) + " bytes");
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  files_ = std::make_unique<Files>(path);
  base::Progress silent;
  base::Progress& progress = options.progress ? *options.progress : silent;
  const std::uint64_t inside = full_size(ready->skeleton, Kind::model, ready->context.blobs);
  progress.begin("write", inside + ready->side.size());
  const std::function<void(std::uint64_t)> told = [&](std::uint64_t bytes) { progress.advance(bytes); };
  FileSink sink(files_->model, told);
  write_full(ready->skeleton, Kind::model, ready->context.blobs, sink);
  files_->model.finish();
  if (!ready->side.empty()) {
    files_->side.emplace(side_path);
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

std::string write_onnx_bytes(const graph::Model& model) {
  WriteContext context;
  return full_message(model_skeleton(model, context), Kind::model, context.blobs);
}

}  // namespace coppice::formats
