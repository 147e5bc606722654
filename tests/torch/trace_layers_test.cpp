#include "trace_cases.hpp"

namespace coppice::test {
namespace {

using namespace torch::nn;

// Running statistics that tell when they are read in the wrong place.
template <class Norm>
Norm lively(Norm norm) {
  const at::NoGradGuard no_gradients;
  for (const auto& entry : norm->named_parameters()) entry.value().uniform_(0.5, 1.5);
  for (const auto& entry : norm->named_buffers())
    if (entry.value().is_floating_point()) entry.value().uniform_(0.5, 1.5);
  return norm;
}

TEST(TraceLayers, Convolutions) {
  at::manual_seed(1);
  check({
      {"conv1d", Conv1d(Conv1dOptions(4, 6, 3).stride(2).padding(1)), {random({2, 4, 9})}},
      {"conv2d", Conv2d(Conv2dOptions(4, 6, {3, 1}).dilation({2, 1}).padding({2, 0})), {random({2, 4, 9, 7})}},
      {"grouped", Conv2d(Conv2dOptions(4, 6, 3).groups(2).bias(false)), {random({2, 4, 9, 7})}},
      {"conv3d", Conv3d(Conv3dOptions(2, 3, 3).padding(1)), {random({1, 2, 5, 6, 7})}},
      {"same", Conv2d(Conv2dOptions(2, 3, {4, 3}).padding(torch::kSame)), {random({1, 2, 5, 6})}},
      {"valid", Conv1d(Conv1dOptions(2, 3, 4).padding(torch::kValid)), {random({1, 2, 7})}},
      {"circular", Conv2d(Conv2dOptions(2, 3, 3).padding(1).padding_mode(torch::kCircular)), {random({1, 2, 5, 6})}},
      {"reflected", Conv1d(Conv1dOptions(2, 3, 3).padding(1).padding_mode(torch::kReflect)), {random({1, 2, 5})}},
      {"unbatched", Conv2d(Conv2dOptions(2, 3, 3)), {random({2, 5, 6})}},
      {"transposed1d", ConvTranspose1d(ConvTranspose1dOptions(4, 6, 3).stride(2).padding(1)), {random({2, 4, 5})}},
      {"transposed2d",
       ConvTranspose2d(ConvTranspose2dOptions(4, 6, 3).stride(2).padding(1).output_padding(1).groups(2)),
       {random({2, 4, 5, 6})}},
      {"transposed3d", ConvTranspose3d(ConvTranspose3dOptions(2, 3, 2).stride(2)), {random({1, 2, 3, 4, 3})}},
  });
}

TEST(TraceLayers, Products) {
  at::manual_seed(2);
  using In = const std::vector<at::Tensor>&;
  EmbeddingBag weighted_bag(EmbeddingBagOptions(10, 4).mode(torch::kSum));
  check({
      {"linear", Linear(4, 3), {random({2, 4})}},
      {"linear of sequences", Linear(4, 3), {random({2, 5, 4})}},
      {"linear without bias", Linear(LinearOptions(4, 3).bias(false)), {random({2, 4})}},
      {"bilinear", Bilinear(4, 3, 5), {random({2, 4}), random({2, 3})}},
      {"bilinear of sequences", Bilinear(BilinearOptions(4, 3, 5).bias(false)), {random({2, 6, 4}), random({2, 6, 3})}},
      {"embedding", Embedding(10, 4), {indices(10, {2, 5})}},
      {"embedding bag", EmbeddingBag(10, 4), {indices(10, {2, 5})}},
      {"embedding bag of sums", EmbeddingBag(EmbeddingBagOptions(10, 4).mode(torch::kSum)), {indices(10, {3, 4})}},
      {"embedding bag of the largest",
       EmbeddingBag(EmbeddingBagOptions(10, 4).mode(torch::kMax)),
       {indices(10, {3, 4})}},
      {"weighted embedding bag",
       Callable(
           weighted_bag,
           [weighted_bag](In in) mutable { return std::vector<at::Tensor>{weighted_bag->forward(in[0], {}, in[1])}; }),
       {indices(10, {3, 4}), random({3, 4})}},
      {"unfold", Unfold(UnfoldOptions({2, 3}).dilation({1, 2}).padding({1, 0}).stride({2, 1})), {random({2, 3, 7, 8})}},
      {"unfold without padding", Unfold(2), {random({2, 3, 4, 5})}},
      {"fold",
       Fold(FoldOptions({7, 8}, {2, 3}).dilation({1, 2}).padding({1, 0}).stride({2, 1})),
       {random({2, 18, 16})}},
      {"fold of neighbours", Fold(FoldOptions({4, 6}, 2).stride(2)), {random({2, 12, 6})}},
      {"sequential", Sequential(Linear(4, 6), ReLU(), Dropout(0.5), Linear(6, 2)), {random({3, 4})}},
      {"any", AnyModule(Linear(4, 3)), {random({2, 4})}},
      {"flatten", Sequential(Flatten(), Linear(12, 2)), {random({2, 3, 4})}},
      {"unflatten", Unflatten(UnflattenOptions(1, {2, 3})), {random({2, 6, 4})}},
      {"identity", Sequential(Identity(), Linear(4, 2)), {random({2, 4})}},
      {"cosine similarity", CosineSimilarity(), {random({3, 8}), random({3, 8})}},
      {"pairwise distance", PairwiseDistance(), {random({3, 8}), random({3, 8})}},
  });
}

TEST(TraceLayers, Norms) {
  at::manual_seed(3);
  check({
      {"batch norm", lively(BatchNorm2d(4)), {random({2, 4, 5, 5})}},
      {"batch norm of rows", lively(BatchNorm1d(4)), {random({3, 4})}},
      {"batch norm 3d", lively(BatchNorm3d(2)), {random({2, 2, 3, 3, 3})}},
      {"batch norm, plain", lively(BatchNorm2d(BatchNorm2dOptions(4).affine(false))), {random({2, 4, 5, 5})}},
      {"batch norm of the batch",
       lively(BatchNorm2d(BatchNorm2dOptions(4).track_running_stats(false))),
       {random({2, 4, 5, 5})}},
      {"instance norm", lively(InstanceNorm2d(InstanceNorm2dOptions(4).affine(true))), {random({2, 4, 5, 5})}},
      {"instance norm, plain", InstanceNorm1d(4), {random({2, 4, 5})}},
      {"instance norm, tracked",
       lively(InstanceNorm2d(InstanceNorm2dOptions(4).track_running_stats(true))),
       {random({2, 4, 5, 5})}},
      {"layer norm", lively(LayerNorm(LayerNormOptions({6}))), {random({2, 3, 6})}},
      {"layer norm of two axes", lively(LayerNorm(LayerNormOptions({3, 6}))), {random({2, 3, 6})}},
      {"layer norm, plain", LayerNorm(LayerNormOptions({6}).elementwise_affine(false)), {random({2, 3, 6})}},
      {"group norm", lively(GroupNorm(2, 4)), {random({2, 4, 5, 5})}},
      {"group norm of rows", GroupNorm(GroupNormOptions(2, 4).affine(false)), {random({2, 4})}},
      {"local response norm", LocalResponseNorm(LocalResponseNormOptions(3).alpha(0.5)), {random({2, 6, 4, 4})}},
  });
}

TEST(TraceLayers, Pools) {
  at::manual_seed(4);
  check({
      {"max 1d", MaxPool1d(MaxPool1dOptions(3).stride(2)), {random({2, 3, 9})}},
      {"max 2d", MaxPool2d(MaxPool2dOptions(3).stride(2).padding(1).ceil_mode(true)), {random({2, 3, 8, 9})}},
      {"max 3d", MaxPool3d(MaxPool3dOptions(2).dilation(2)), {random({1, 2, 5, 6, 7})}},
      {"max, unbatched", MaxPool2d(2), {random({3, 8, 8})}},
      {"average 1d", AvgPool1d(AvgPool1dOptions(3).padding(1)), {random({2, 3, 9})}},
      {"average 2d", AvgPool2d(AvgPool2dOptions(3).stride(2).padding(1)), {random({2, 3, 8, 9})}},
      {"average without pads",
       AvgPool2d(AvgPool2dOptions(3).stride(2).padding(1).count_include_pad(false)),
       {random({2, 3, 8, 9})}},
      {"average, own divisor", AvgPool2d(AvgPool2dOptions(2).divisor_override(3)), {random({2, 3, 8, 8})}},
      {"average 3d", AvgPool3d(AvgPool3dOptions(2)), {random({1, 2, 4, 6, 6})}},
      {"adaptive to one", AdaptiveAvgPool2d(1), {random({2, 3, 8, 9})}},
      {"adaptive", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({2, 3})), {random({2, 3, 8, 9})}},
      {"adaptive, one axis", AdaptiveAvgPool2d(AdaptiveAvgPool2dOptions({torch::nullopt, 1})), {random({2, 3, 8, 9})}},
      {"adaptive 1d", AdaptiveAvgPool1d(3), {random({2, 3, 9})}},
      {"adaptive 3d", AdaptiveAvgPool3d(1), {random({1, 2, 4, 4, 4})}},
      {"adaptive max to one", AdaptiveMaxPool2d(1), {random({2, 3, 8, 9})}},
      {"adaptive max", AdaptiveMaxPool1d(4), {random({2, 3, 8})}},
      {"power average", LPPool2d(LPPool2dOptions(2, 3).stride(2)), {random({2, 3, 8, 9})}},
  });
}

TEST(TraceLayers, Activations) {
  at::manual_seed(5);
  const std::vector<at::Tensor> x{random({2, 4, 3, 5}) * 3};
  check({
      {"relu", ReLU(), x},
      {"relu in place", Sequential(Linear(5, 5), ReLU(ReLUOptions().inplace(true))), x},
      {"relu6", ReLU6(), {x[0] * 4}},
      {"leaky relu", LeakyReLU(LeakyReLUOptions().negative_slope(0.2)), x},
      {"rrelu", RReLU(), x},
      {"prelu", PReLU(), x},
      {"prelu a channel", PReLU(PReLUOptions().num_parameters(4).init(0.3)), x},
      {"elu", ELU(ELUOptions().alpha(0.7)), x},
      {"selu", SELU(), x},
      {"celu", CELU(CELUOptions().alpha(0.7)), x},
      {"gelu", GELU(), x},
      {"gelu by tanh", GELU(GELUOptions().approximate("tanh")), x},
      {"sigmoid", Sigmoid(), x},
      {"tanh", Tanh(), x},
      {"silu", SiLU(), x},
      {"mish", Mish(), x},
      {"softplus", Softplus(), x},
      {"steep softplus", Softplus(SoftplusOptions().beta(3)), x},
      {"log sigmoid", LogSigmoid(), x},
      {"hardtanh", Hardtanh(HardtanhOptions().min_val(-2).max_val(0.5)), x},
      {"hardshrink", Hardshrink(), x},
      {"softshrink", Softshrink(SoftshrinkOptions(0.7)), x},
      {"softsign", Softsign(), x},
      {"tanhshrink", Tanhshrink(), x},
      {"threshold", Threshold(0.3, -2), x},
      {"softmax", Softmax(1), x},
      {"softmin", Softmin(-1), x},
      {"log softmax", LogSoftmax(1), x},
      {"softmax of channels", Softmax2d(), x},
      {"glu", GLU(1), x},
  });
}

TEST(TraceLayers, Layouts) {
  at::manual_seed(6);
  const std::vector<at::Tensor> x{random({2, 8, 4, 6})};
  check({
      {"pixel shuffle", PixelShuffle(2), x},
      {"pixel unshuffle", PixelUnshuffle(2), x},
      {"zero pad", ZeroPad2d(ZeroPad2dOptions({1, 2, 0, 1})), x},
      {"constant pad", ConstantPad2d(ConstantPad2dOptions({1, 2, -1, 1}, 0.5)), x},
      {"reflection pad", ReflectionPad2d(ReflectionPad2dOptions({1, 2, 0, 1})), x},
      {"replication pad", ReplicationPad2d(ReplicationPad2dOptions({1, 2, 0, 1})), x},
      {"replication pad 1d", ReplicationPad1d(2), {random({2, 3, 5})}},
      {"nearest", Upsample(UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kNearest)), x},
      {"nearest to a size", Upsample(UpsampleOptions().size(std::vector<std::int64_t>{7, 9}).mode(torch::kNearest)), x},
      {"bilinear",
       Upsample(
           UpsampleOptions().scale_factor(std::vector<double>{2, 1.5}).mode(torch::kBilinear).align_corners(false)),
       x},
      {"bilinear, aligned",
       Upsample(UpsampleOptions().size(std::vector<std::int64_t>{7, 9}).mode(torch::kBilinear).align_corners(true)), x},
      {"bicubic",
       Upsample(UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kBicubic).align_corners(false)),
       x, 1e-4},
      {"linear",
       Upsample(UpsampleOptions().scale_factor(std::vector<double>{2}).mode(torch::kLinear).align_corners(false)),
       {random({2, 3, 5})}},
      {"nearest 3d",
       Upsample(UpsampleOptions().scale_factor(std::vector<double>{2, 2, 2}).mode(torch::kNearest)),
       {random({1, 2, 3, 3, 3})}},
  });
}

}  // namespace
}  // namespace coppice::test
