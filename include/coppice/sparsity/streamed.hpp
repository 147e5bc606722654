#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coppice/sparsity/mask_file.hpp"
#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/tensor/tensor.hpp"

namespace coppice::sparsity {

/// A tensor of a checkpoint.
struct NamedWeight {
  std::string name;
  tensor::Tensor tensor;  ///< May be streamed.
};

/// Sites of a checkpoint, which has no graph: tensors of two to five axes, with elements, named "weight" or
/// "....weight". Without a graph names have to tell what a tensor is for, and axes are taken in PyTorch's order:
/// outputs, inputs, kernel. Embeddings (a name with "embed", wte, wpe, shared) and output heads of language models
/// (lm_head, embed_out) have an obstacle. `value` is the index among the weights.
std::vector<Site> find_sites(const std::vector<NamedWeight>& weights);

/// Zeros for tensors that need not fit into memory, one after the other.
class StreamedZeros {
 public:
  virtual ~StreamedZeros() = default;

  virtual bool takes_part(std::size_t weight) const = 0;
  /// Those that take part, in the order of the weights; of each site only name, layer and shape are to be relied on.
  virtual std::vector<Site> sites() const = 0;
  /// Writes a weight that takes part to `out`, as long as its bytes and apart from them, with its zeros; says how many
  /// there were and are. With `mask`, says there what stays. Throws Error, naming the weight, for what Sparsifier
  /// refuses.
  virtual ZeroCount zero(std::size_t weight, std::span<std::byte> out, tensor::Mask* mask = nullptr) const = 0;
};

/// The choice of Sparsifier: nothing is kept of a layer that competes with itself alone, and of single weights that
/// compete by magnitude only what tensor::Smallest keeps. Where all layers compete by anything else there is a mask,
/// one bit a weight. The same zeros as Sparsifier's.
class StreamedSparsifier : public StreamedZeros {
 public:
  /// Throws Error as Sparsifier does. A site that `layers` names takes part even if it has an obstacle by its name.
  StreamedSparsifier(std::vector<NamedWeight> weights, const SparsifyOptions& options);
  ~StreamedSparsifier() override;

  bool takes_part(std::size_t weight) const override;
  std::vector<Site> sites() const override;
  ZeroCount zero(std::size_t weight, std::span<std::byte> out, tensor::Mask* mask = nullptr) const override;
  const std::vector<LeftDense>& left() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

/// Masks of a file, which are read one at a time. Weights without a mask stay dense.
class StreamedMasks : public StreamedZeros {
 public:
  /// `masks` must outlive this. Throws Error, which begins with the weight's name, for a mask without a weight, and
  /// for one of another shape or of other than real numbers.
  StreamedMasks(std::vector<NamedWeight> weights, const MaskFile& masks);

  bool takes_part(std::size_t weight) const override { return parts_.contains(weight); }
  std::vector<Site> sites() const override;
  ZeroCount zero(std::size_t weight, std::span<std::byte> out, tensor::Mask* mask = nullptr) const override;

 private:
  std::vector<NamedWeight> weights_;
  const MaskFile& masks_;
  std::map<std::size_t, std::size_t> parts_;  ///< From weights to masks.
};

}  // namespace coppice::sparsity
