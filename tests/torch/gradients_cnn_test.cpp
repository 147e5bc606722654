#include "plain_network.hpp"

namespace coppice::plain {
namespace {

// Three stages are for small pictures: nothing shrinks in front of them.
Network resnet(const std::vector<int>& blocks, std::int64_t groups = 1) {
  return [=](const Plain& p, const Tensor& image) {
    const bool small = blocks.size() == 3;
    Tensor x = at::relu(p.norm(p.conv(image, "conv1", small ? 1 : 2), "bn1"));
    if (!small) x = F::max_pool2d(x, F::MaxPool2dFuncOptions(3).stride(2).padding(1));
    for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
      for (int i = 0; i < blocks[stage]; ++i) {
        const std::string path = path_of("layer" + std::to_string(stage + 1), i);
        const std::int64_t stride = i == 0 && stage > 0 ? 2 : 1;
        const bool three = p[path + ".conv3.weight"].defined();
        Tensor y = at::relu(p.norm(p.conv(x, path + ".conv1", three ? 1 : stride), path + ".bn1"));
        y = p.norm(p.conv(y, path + ".conv2", three ? stride : 1, groups), path + ".bn2");
        if (three) y = p.norm(p.conv(at::relu(y), path + ".conv3"), path + ".bn3");
        if (p[path + ".downsample.0.weight"].defined())
          x = p.norm(p.conv(x, path + ".downsample.0", stride), path + ".downsample.1");
        x = at::relu(y + x);
      }
    }
    return p.classify(x, "fc");
  };
}

TEST(Gradients, OfResidualBlocks) {
  compare_images("resnet18", resnet({2, 2, 2, 2}));
}

TEST(Gradients, OfResidualBlocksOnSmallPictures) {
  compare_images("resnet20", resnet({3, 3, 3}), 32);
}

TEST(Gradients, OfGroupedBottlenecks) {
  compare_images("resnext50_32x4d", resnet({3, 4, 6, 3}, 32));
}

TEST(Gradients, OfAPlainStack) {
  compare_images("vgg11_bn", [](const Plain& p, const Tensor& image) {
    Tensor x = image;
    int index = 0;
    for (const int convolutions : {1, 1, 2, 2, 2}) {
      for (int i = 0; i < convolutions; ++i, index += 3)
        x = at::relu(p.norm(p.conv(x, path_of("features", index)), path_of("features", index + 1)));
      x = F::max_pool2d(x, F::MaxPool2dFuncOptions(2).stride(2));
      ++index;
    }
    x = at::relu(p.linear(x.flatten(1), "classifier.0"));
    return p.linear(at::relu(p.linear(x, "classifier.3")), "classifier.6");
  });
}

TEST(Gradients, OfInvertedResiduals) {
  compare_images("mobilenet_v2", [](const Plain& p, const Tensor& image) {
    const auto unit = [&](const Tensor& x, const std::string& path, std::int64_t stride, bool depthwise) {
      return F::relu6(p.norm(p.conv(x, path + ".0", stride, depthwise ? x.size(1) : 1), path + ".1"));
    };
    Tensor x = unit(image, "features.0", 2, false);
    for (int i = 1; i < 18; ++i) {
      const std::string path = path_of("features", i) + ".conv";
      const std::int64_t stride = i == 2 || i == 4 || i == 7 || i == 14 ? 2 : 1;
      const int last = i == 1 ? 1 : 2;
      Tensor y = i == 1 ? x : unit(x, path + ".0", 1, false);
      y = unit(y, path_of(path, last - 1), stride, true);
      y = p.norm(p.conv(y, path_of(path, last)), path_of(path, last + 1));
      x = stride == 1 && x.size(1) == y.size(1) ? x + y : y;
    }
    return p.classify(unit(x, "features.18", 1, false), "classifier.1");
  });
}

TEST(Gradients, OfDenseBlocks) {
  compare_images("densenet121", [](const Plain& p, const Tensor& image) {
    const auto unit = [&](const Tensor& x, const std::string& path, const std::string& number) {
      return p.conv(at::relu(p.norm(x, path + ".norm" + number)), path + ".conv" + number);
    };
    Tensor x = at::relu(p.norm(p.conv(image, "features.conv0", 2), "features.norm0"));
    x = F::max_pool2d(x, F::MaxPool2dFuncOptions(3).stride(2).padding(1));
    int stage = 1;
    for (const int layers : {6, 12, 24, 16}) {
      for (int i = 1; i <= layers; ++i) {
        const std::string path = "features.denseblock" + std::to_string(stage) + ".denselayer" + std::to_string(i);
        x = at::cat({x, unit(unit(x, path, "1"), path, "2")}, 1);
      }
      if (stage < 4)
        x = F::avg_pool2d(unit(x, "features.transition" + std::to_string(stage), ""), F::AvgPool2dFuncOptions(2));
      ++stage;
    }
    return p.classify(at::relu(p.norm(x, "features.norm5")), "classifier");
  });
}

// In double precision: the batch's statistics in the layers behind take out what the projections' shifts add, so in
// training mode most of their gradient is zero by algebra, and fp32 leaves rounding of 1e-5 and more everywhere.
TEST(Gradients, OfGatedBlocks) {
  compare_images(
      "efficientnet_b0",
      [](const Plain& p, const Tensor& image) {
        const auto unit = [&](const Tensor& x, const std::string& path, std::int64_t stride, std::int64_t groups) {
          return p.norm(p.conv(x, path + ".0", stride, groups), path + ".1");
        };
        const auto gate = [&](const Tensor& x, const std::string& path) {
          const Tensor mean = F::adaptive_avg_pool2d(x, F::AdaptiveAvgPool2dFuncOptions(1));
          return at::sigmoid(p.conv(F::silu(p.conv(mean, path + ".fc1")), path + ".fc2"));
        };
        Tensor x = F::silu(unit(image, "features.0", 2, 1));
        constexpr int repeats[] = {1, 2, 2, 3, 3, 4, 1}, strides[] = {1, 2, 2, 2, 1, 2, 1};
        for (int stage = 0; stage < 7; ++stage) {
          for (int i = 0; i < repeats[stage]; ++i) {
            const std::string path = path_of(path_of("features", stage + 1), i) + ".block";
            const std::int64_t stride = i == 0 ? strides[stage] : 1;
            int layer = 0;
            Tensor y = stage == 0 ? x : F::silu(unit(x, path_of(path, layer++), 1, 1));
            y = F::silu(unit(y, path_of(path, layer++), stride, y.size(1)));
            y = y * gate(y, path_of(path, layer++));
            y = unit(y, path_of(path, layer), 1, 1);
            x = stride == 1 && x.size(1) == y.size(1) ? x + y : y;
          }
        }
        return p.classify(F::silu(unit(x, "features.8", 1, 1)), "classifier.1");
      },
      64, at::kDouble);
}

TEST(Gradients, OfShuffledChannels) {
  compare_images("shufflenet_v2_x1_0", [](const Plain& p, const Tensor& image) {
    const auto unit = [&](const Tensor& x, const std::string& path, int first, std::int64_t stride, bool depthwise) {
      return p.norm(p.conv(x, path_of(path, first), stride, depthwise ? x.size(1) : 1), path_of(path, first + 1));
    };
    const auto branch = [&](const Tensor& x, const std::string& path, std::int64_t stride) {
      const Tensor y = unit(at::relu(unit(x, path, 0, 1, false)), path, 3, stride, true);
      return at::relu(unit(y, path, 5, 1, false));
    };
    Tensor x = at::relu(unit(image, "conv1", 0, 2, false));
    x = F::max_pool2d(x, F::MaxPool2dFuncOptions(3).stride(2).padding(1));
    int stage = 2;
    for (const int repeats : {4, 8, 4}) {
      for (int i = 0; i < repeats; ++i) {
        const std::string path = path_of("stage" + std::to_string(stage), i);
        if (i == 0) {
          const Tensor other = unit(unit(x, path + ".branch1", 0, 2, true), path + ".branch1", 2, 1, false);
          x = at::cat({at::relu(other), branch(x, path + ".branch2", 2)}, 1);
        } else {
          const auto halves = x.chunk(2, 1);
          x = at::cat({halves[0], branch(halves[1], path + ".branch2", 1)}, 1);
        }
        // libtorch 1.13's channel_shuffle has no derivative.
        x = x.unflatten(1, {2, -1}).transpose(1, 2).flatten(1, 2);
      }
      ++stage;
    }
    return p.linear(at::relu(unit(x, "conv5", 0, 1, false)).mean({2, 3}), "fc");
  });
}

Network u_net(const std::function<Tensor(const Plain&, const Tensor&, const std::string& path)>& norm) {
  return [=](const Plain& p, const Tensor& image) {
    const auto twice = [&](const Tensor& x, const std::string& path) {
      const Tensor y = at::relu(norm(p, p.conv(x, path + ".double_conv.0"), path + ".double_conv.1"));
      return at::relu(norm(p, p.conv(y, path + ".double_conv.3"), path + ".double_conv.4"));
    };
    std::vector<Tensor> levels{twice(image, "inc")};
    for (int i = 1; i <= 4; ++i) {
      const Tensor half = F::max_pool2d(levels.back(), F::MaxPool2dFuncOptions(2));
      levels.push_back(twice(half, "down" + std::to_string(i) + ".maxpool_conv.1"));
    }
    Tensor x = levels.back();
    for (int i = 1; i <= 4; ++i) {
      const std::string path = "up" + std::to_string(i);
      x = F::conv_transpose2d(x, p[path + ".up.weight"],
                              F::ConvTranspose2dFuncOptions().bias(p[path + ".up.bias"]).stride(2));
      x = twice(at::cat({levels[static_cast<std::size_t>(4 - i)], x}, 1), path + ".conv");
    }
    return p.conv(x, "outc.conv");
  };
}

TEST(Gradients, OfSkipsAndTransposedConvolutions) {
  compare_images("unet",
                 u_net([](const Plain& p, const Tensor& x, const std::string& path) { return p.norm(x, path); }), 32);
}

TEST(Gradients, OfGroupNorms) {
  compare_images("unet_gn", u_net([](const Plain& p, const Tensor& x, const std::string& path) {
                   return F::group_norm(x,
                                        F::GroupNormFuncOptions(8).weight(p[path + ".weight"]).bias(p[path + ".bias"]));
                 }));
}

}  // namespace
}  // namespace coppice::plain
