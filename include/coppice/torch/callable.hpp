#pragma once
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/torch/libtorch.hpp"

namespace torch::nn {
class AnyModule;
}

namespace coppice {

/// What a module computes, on a list of tensors.
using Forward = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>;

namespace callable {

inline constexpr std::size_t most_inputs = 6;

// Results of any forward(), in order: a tensor; vectors, tuples and pairs of them, nested too. An optional without a
// value gives nothing.
inline void flatten(const at::Tensor& tensor, std::vector<at::Tensor>& out) {
  out.push_back(tensor);
}
template <class T>
void flatten(const std::vector<T>& list, std::vector<at::Tensor>& out);
template <class T>
void flatten(const std::optional<T>& maybe, std::vector<at::Tensor>& out);
template <class... Ts>
void flatten(const std::tuple<Ts...>& tuple, std::vector<at::Tensor>& out);
template <class A, class B>
void flatten(const std::pair<A, B>& pair, std::vector<at::Tensor>& out);

template <class T>
void flatten(const std::vector<T>& list, std::vector<at::Tensor>& out) {
  for (const T& element : list) flatten(element, out);
}
template <class T>
void flatten(const std::optional<T>& maybe, std::vector<at::Tensor>& out) {
  if (maybe) flatten(*maybe, out);
}
template <class... Ts>
void flatten(const std::tuple<Ts...>& tuple, std::vector<at::Tensor>& out) {
  std::apply([&](const auto&... elements) { (flatten(elements, out), ...); }, tuple);
}
template <class A, class B>
void flatten(const std::pair<A, B>& pair, std::vector<at::Tensor>& out) {
  flatten(pair.first, out);
  flatten(pair.second, out);
}

template <std::size_t>
using EachTensor = at::Tensor;

template <class Impl, std::size_t... kIndex>
constexpr bool takes(std::index_sequence<kIndex...>) {
  return requires(Impl & impl) {
    impl.forward(std::declval<EachTensor<kIndex>>()...);
  };
}

template <class Impl>
concept TakesList = requires(Impl& impl, std::vector<at::Tensor> list) {
  impl.forward(list);
};

/// GraphModule, and whoever runs lists of tensors as it does.
template <class Impl>
concept RunsList = requires(Impl& impl, std::vector<at::Tensor> list) {
  { impl.run(list) } -> std::convertible_to<std::vector<at::Tensor>>;
};

[[noreturn]] inline void refuse(std::size_t count) {
  throw Error("the module's forward() takes no " + std::to_string(count) + " tensors");
}

// The first overload of forward() that takes as many tensors as there are.
template <class Impl, std::size_t kCount = 0>
std::vector<at::Tensor> call(Impl& impl, const std::vector<at::Tensor>& inputs) {
  if constexpr (RunsList<Impl>) {
    return impl.run(inputs);
  } else if constexpr (kCount > most_inputs) {
    std::vector<at::Tensor> out;
    if constexpr (TakesList<Impl>) {
      flatten(impl.forward(inputs), out);
    } else {
      refuse(inputs.size());
    }
    return out;
  } else {
    if constexpr (takes<Impl>(std::make_index_sequence<kCount>())) {
      if (inputs.size() == kCount) {
        std::vector<at::Tensor> out;
        [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
          flatten(impl.forward(at::Tensor(inputs[kIndex])...), out);
        }
        (std::make_index_sequence<kCount>());
        return out;
      }
    }
    return call<Impl, kCount + 1>(impl, inputs);
  }
}

}  // namespace callable

/// Any module and what it computes. Made from a module holder (`torch::nn::Linear`, `torch::nn::Sequential`, a user's
/// TORCH_MODULE), a shared pointer to a module, a module, an AnyModule, or a module and a function. The module's
/// forward() is called with the given tensors (up to six, then a vector); arguments beyond them must have defaults. Its
/// results are listed in order: a tensor, or vectors, tuples and pairs of them, nested too.
/// Shares the module where a shared pointer holds it; otherwise the module must outlive this object.
class Callable {
 public:
  template <class Impl>
  Callable(const torch::nn::ModuleHolder<Impl>& holder) : Callable(holder.ptr()) {}
  template <class Impl>
  Callable(const torch::nn::ModuleHolder<Impl>& holder, Forward forward) : Callable(holder.ptr(), std::move(forward)) {}

  template <std::derived_from<torch::nn::Module> Impl>
  Callable(const std::shared_ptr<Impl>& module) : Callable(module, forward_of(module.get())) {}
  template <std::derived_from<torch::nn::Module> Impl>
  Callable(const std::shared_ptr<Impl>& module, Forward forward)
      : owner_(module), module_(module.get()), forward_(std::move(forward)) {
    if (!module_) throw Error("expected a module, found an empty pointer");
  }

  template <std::derived_from<torch::nn::Module> Impl>
  Callable(Impl& module) : Callable(module, forward_of(&module)) {}
  template <std::derived_from<torch::nn::Module> Impl>
  Callable(Impl& module, Forward forward)
      : owner_(static_cast<torch::nn::Module&>(module).weak_from_this().lock()),
        module_(&module),
        forward_(std::move(forward)) {}

  /// The wrapped module's forward() must return a tensor.
  template <std::same_as<torch::nn::AnyModule> Any>
  Callable(const Any& any)
      : Callable(any.ptr(),
                 [held = any](const std::vector<at::Tensor>& inputs) mutable { return callable::call(held, inputs); }) {
  }

  torch::nn::Module& module() const { return *module_; }
  /// Null where no shared pointer holds the module.
  const std::shared_ptr<torch::nn::Module>& owner() const { return owner_; }
  /// Throws Error when forward() does not take as many tensors; lets through what it throws.
  std::vector<at::Tensor> operator()(const std::vector<at::Tensor>& inputs) const { return forward_(inputs); }

 private:
  template <class Impl>
  static Forward forward_of(Impl* impl) {
    static_assert(!std::is_same_v<Impl, torch::nn::Module>,
                  "a plain torch::nn::Module has no forward(): pass a function as the second argument");
    return [impl](const std::vector<at::Tensor>& inputs) { return callable::call(*impl, inputs); };
  }

  std::shared_ptr<torch::nn::Module> owner_;
  torch::nn::Module* module_ = nullptr;
  Forward forward_;
};

}  // namespace coppice
