#pragma once
#include <string_view>

#include "layers.hpp"

/// One function a family: writes the variant of that name into an empty Net, graph inputs and outputs included.
namespace coppice::zoo {

/// He et al. 2015 (stride in the 3 x 3 convolution), Xie et al. 2016, Zagoruyko and Komodakis 2016.
void resnet(Net& net, std::string_view variant);
/// He et al. 2015, 4.2: for pictures of 32 x 32, or with a stem of stride 2 for those of 28 x 28.
void small_resnet(Net& net, std::string_view variant);
/// Simonyan and Zisserman 2014, with batch norm.
void vgg(Net& net, std::string_view variant);
/// Sandler et al. 2018.
void mobilenet_v2(Net& net, std::string_view variant);
/// Huang et al. 2016.
void densenet(Net& net, std::string_view variant);
/// Tan and Le 2019.
void efficientnet(Net& net, std::string_view variant);
/// Ma et al. 2018.
void shufflenet_v2(Net& net, std::string_view variant);
/// Dosovitskiy et al. 2020.
void vision_transformer(Net& net, std::string_view variant);
/// Ronneberger et al. 2015, with padding and a norm after each convolution.
void unet(Net& net, std::string_view variant);
/// Radford et al. 2019.
void gpt2(Net& net, std::string_view variant);
/// Touvron et al. 2023.
void llama(Net& net, std::string_view variant);
/// Embedding, two bidirectional LSTM layers, a tag for every word (Huang, Xu, Yu 2015, without the CRF).
void lstm_tagger(Net& net, std::string_view variant);
void mlp(Net& net, std::string_view variant);

}  // namespace coppice::zoo
