#include "support/backend_suite.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

namespace coppice::backend {
namespace {
namespace fs = std::filesystem;

// What ONNX's runner asks for where a case does not say otherwise.
constexpr double rtol = 1e-3, atol = 1e-7;

std::string described(const at::Tensor& tensor) {
  std::string out = c10::toString(tensor.scalar_type());
  for (const std::int64_t extent : tensor.sizes()) out += " " + std::to_string(extent);
  return out;
}

void compare(const at::Tensor& found, const at::Tensor& expected, const std::string& output) {
  if (!found.defined()) throw Error(output + ": expected a tensor, found none");
  if (found.scalar_type() != expected.scalar_type() || found.sizes() != expected.sizes())
    throw Error(output + ": expected " + described(expected) + ", found " + described(found));
  const bool real = expected.is_floating_point();
  const bool equal = real ? at::allclose(found.to(at::kDouble), expected.to(at::kDouble), rtol, atol, true)
                          : at::equal(found, expected);
  if (equal) return;
  const at::Tensor distance = (found.to(at::kDouble) - expected.to(at::kDouble)).abs();
  throw Error(output + ": the largest difference is " + std::to_string(distance.max().item<double>()));
}

// NumPy has no bfloat16, so the files hold its bits as uint16; what the model declares tells.
at::Tensor read_tensor(const fs::path& path, tensor::DType declared) {
  tensor::Tensor tensor = formats::read_tensor_proto(path.string()).tensor;
  if (tensor.dtype == tensor::DType::uint16 && declared == tensor::DType::bfloat16) tensor.dtype = declared;
  return to_torch(tensor);
}

std::vector<at::Tensor> read_tensors(const fs::path& folder, const std::string& stem,
                                     const std::vector<tensor::DType>& types) {
  std::vector<at::Tensor> out;
  for (std::size_t i = 0;; ++i) {
    const fs::path path = folder / (stem + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return out;
    out.push_back(read_tensor(path, i < types.size() ? types[i] : tensor::DType::undefined));
  }
}

std::vector<tensor::DType> types_of(const graph::Graph& graph, const std::vector<graph::ValueId>& values) {
  std::vector<tensor::DType> out;
  for (const graph::ValueId id : values) {
    const graph::Value& value = graph.values[static_cast<std::size_t>(id)];
    // A type that the graph IR does not model stays opaque.
    if (value.dtype == tensor::DType::undefined && !value.extra.empty())
      throw Error("\"" + value.name + "\": expected a tensor, found a sequence or an optional value");
    out.push_back(value.dtype);
  }
  return out;
}

void run_case(const fs::path& folder) {
  graph::Model model = formats::read_onnx((folder / "model.onnx").string());
  const auto inputs = types_of(model.graph, model.graph.inputs), outputs = types_of(model.graph, model.graph.outputs);
  at::manual_seed(0);  // or a random case may pass, once in a while
  GraphModule module(std::move(model));
  int sets = 0;
  for (;; ++sets) {
    const fs::path data = folder / ("test_data_set_" + std::to_string(sets));
    if (!fs::exists(data)) break;
    const std::vector<at::Tensor> expected = read_tensors(data, "output_", outputs);
    const std::vector<at::Tensor> found = module.run(read_tensors(data, "input_", inputs));
    if (found.size() != expected.size())
      throw Error("expected " + std::to_string(expected.size()) + " outputs, found " + std::to_string(found.size()));
    for (std::size_t i = 0; i < found.size(); ++i) compare(found[i], expected[i], "output " + std::to_string(i));
  }
  if (sets == 0) throw Error("there are no data sets");
}

// "test_x_expanded" writes the operator of test_x with other operators.
std::string group_of(const fs::path& folder) {
  const std::string category = folder.parent_path().filename().string();
  if (category != "node") return category;
  std::string path = folder.string();
  if (const std::string suffix = "_expanded"; path.ends_with(suffix)) path.resize(path.size() - suffix.size());
  const graph::Model model = formats::read_onnx(path + "/model.onnx");
  return model.graph.nodes.empty() ? category : model.graph.nodes.back().op;
}

}  // namespace

bool is_installed() {
  return fs::exists(fs::path(default_folder) / "node");
}

std::vector<Result> run_all() {
  std::vector<fs::path> folders;
  for (const char* category : {"node", "pytorch-converted", "pytorch-operator", "simple"})
    for (const auto& entry : fs::directory_iterator(fs::path(default_folder) / category))
      folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  std::vector<Result> out;
  for (const fs::path& folder : folders) {
    Result result{folder.parent_path().filename().string() + "/" + folder.filename().string(), group_of(folder), {}};
    try {
      run_case(folder);
    } catch (const std::exception& error) {
      result.problem = error.what();
    }
    out.push_back(std::move(result));
  }
  return out;
}

}  // namespace coppice::backend
