#include "coppice/base/nearest.hpp"

#include <gtest/gtest.h>

namespace coppice::base {
namespace {

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
}

TEST(Nearest, PutsTheBestFirst) {
  const std::vector<std::string_view> names{"vgg16", "resnet18", "resnet34", "densenet"};
  EXPECT_EQ(nearest("resnet81", names, 2), (std::vector<std::string_view>{"resnet18", "resnet34"}));
}

TEST(Nearest, APartCountsAsNear) {
  const std::vector<std::string_view> names{"cow", "layer1.0.conv1", "cat"};
  EXPECT_EQ(nearest("conv1", names, 1).front(), "layer1.0.conv1");
}

TEST(Nearest, ListsForAMessage) {
  const std::vector<std::string_view> names{"one", "two"};
  EXPECT_EQ(nearest_list("on", names), "one, two");
  EXPECT_EQ(nearest_list("on", {}), "none");
}

}  // namespace
}  // namespace coppice::base
