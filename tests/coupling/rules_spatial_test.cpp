#include "coupling/rule_case.hpp"

// Channels pass, space stays.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y) {
  t.out(t.conv(y, "b", 4, 5));
}
ValueId reals(Tiny& t, const std::vector<double>& values) {
  return t.b.initializer("scales" + std::to_string(t.b.graph().values.size()),
                         tensor::from_doubles(DType::float32, {static_cast<std::int64_t>(values.size())}, values));
}

void pools(RuleCases& cases) {
  for (const std::string op :
       {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    const auto window = op.starts_with("Global") ? std::vector<graph::Attribute>{}
                                                 : std::vector<graph::Attribute>{attr("kernel_shape", Indices{2, 2})};
    cases.push_back({.op = op,
                     .what = "PassesChannels",
                     .build = [op, window](Tiny& t) { tail(t, t.op(op, {image(t)}, window)); },
                     .units = {"a.0 pqrs", "b.1 pqrs"}});
    cases.push_back(
        {.op = op,
         .what = "PassesTheBatch",
         .build =
             [op, window](Tiny& t) {
               tail(t, t.op("Transpose", {t.op(op, {stacked(t)}, window)}, {attr("perm", Indices{1, 0, 2, 3})}));
             },
         .units = {"a.0 pqrs", "b.1 pqrs"}});
    cases.push_back({.op = op,
                     .what = "LocksSpace",
                     .build = [op, window](Tiny& t) { tail(t, t.op(op, {turned(t)}, window)); },
                     .units = {"a.0 ABCD"},
                     .locks = {{"ABCD", Reason::fixed_axis, op + "2"}}});
  }
  cases.push_back({.op = "MaxPool",
                   .what = "WithPositionsLocksAll",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.ops("MaxPool", {image(t)}, 2, {attr("kernel_shape", Indices{2, 2})})[0]);
                       },
                   .units = {"a.0 ABCD"},
                   .locks = {{"ABCD", Reason::ordered_axis, "MaxPool1"}}});
}

const RuleCases sampling{
    {.op = "RoiAlign",
     .what = "PassesChannels",
     .build =
         [](Tiny& t) {
           tail(t, t.op("RoiAlign", {image(t), t.x("rois", {6, 4}), t.x("which", {6}, DType::int64)},
                        {attr("output_height", 2), attr("output_width", 2)}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "RoiAlign",
     .what = "LocksTheBatchItSelectsFrom",
     .build =
         [](Tiny& t) {
           t.out(t.op("RoiAlign", {stacked(t), t.x("rois", {6, 4}), t.x("which", {6}, DType::int64)}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "RoiAlign2"}}},
    {.op = "MaxRoiPool",
     .what = "PassesChannels",
     .build =
         [](Tiny& t) {
           tail(t, t.op("MaxRoiPool", {image(t), t.x("rois", {6, 5})}, {attr("pooled_shape", Indices{2, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "MaxRoiPool",
     .what = "LocksSpace",
     .build =
         [](Tiny& t) {
           tail(t, t.op("MaxRoiPool", {turned(t), t.x("rois", {6, 5})}, {attr("pooled_shape", Indices{2, 2})}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "MaxRoiPool2"}}},
    {.op = "GridSample",
     .what = "PassesChannels",
     .build =
         [](Tiny& t) {
           tail(t, t.op("GridSample", {image(t), t.x("grid", {2, 3, 3, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "GridSample",
     .what = "TiesEveryImageToItsGrid",  // heads of deformable attention lie in the batch
     .build =
         [](Tiny& t) {
           const ValueId grid =
               t.op("Unsqueeze", {t.op("Transpose", {t.fc(t.x("y", {5, 2, 3}), "c", 3, 4)}), t.ints({1})});
           const ValueId y =
               t.op("GridSample", {stacked(t), t.op("Transpose", {grid}, {attr("perm", Indices{0, 3, 1, 2})})});
           t.out(t.op("ReduceMax", {t.conv(y, "b", 2, 5), t.ints({0})}));
         },
     .units = {"a.0 pqrs", "c.1 pqrs", "b.1 AB"},
     .locks = {{"AB", Reason::graph_input, "Conv7"}}},
    {.op = "GridSample",
     .what = "LocksSpaceAndTheRestOfTheGrid",
     .build =
         [](Tiny& t) {
           const ValueId grid = t.op("Unsqueeze", {t.fc(t.x("y", {2, 5, 3}), "c", 3, 2), t.ints({1})});
           tail(t, t.op("GridSample", {turned(t), grid}));
         },
     .units = {"a.0 ABCD", "c.1 EF"},
     .locks = {{"ABCDEF", Reason::fixed_axis, "GridSample4"}}},
    {.op = "Resize",
     .what = "ByScalesPassesWhatIsScaledByOne",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {image(t), graph::no_value, reals(t, {1, 1, 2, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "Resize",
     .what = "BySizesPassesWhatStays",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {image(t), graph::no_value, graph::no_value, t.ints({2, 4, 7, 4})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "Resize",
     .what = "OfNamedAxesPassesTheOthers",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {image(t), graph::no_value, reals(t, {3, 2})}, {attr("axes", Indices{-1, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "Resize",
     .what = "LocksWhatItStretches",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {turned(t), graph::no_value, reals(t, {1, 1, 2, 1})}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "Resize2"}}},
    {.op = "Resize",
     .what = "LocksWhatItStretchesByLessThanAnIndex",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Resize", {turned(t), graph::no_value, reals(t, {1, 1, 1.2, 1})});
           tail(t, t.op("Transpose", {y}, {attr("perm", Indices{0, 2, 1, 3})}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "Resize2"}}},
    {.op = "Resize",
     .what = "LocksWhatItCrops",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("Resize", {turned(t), reals(t, {0, 0, 0, 0, 1, 1, 0.5, 1}), graph::no_value, t.ints({2, 4, 4, 4})},
                    {attr("coordinate_transformation_mode", AttributeValue(std::string("tf_crop_and_resize")))});
           tail(t, t.op("Transpose", {y}, {attr("perm", Indices{0, 2, 1, 3})}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "Resize2"}}},
    {.op = "Upsample",
     .what = "PassesChannels",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Upsample", {image(t), reals(t, {1, 1, 2, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"},
     .opset = 9},
    {.op = "Resize",
     .what = "PassesWhatItsCropTakesWhole",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize",
                        {image(t), reals(t, {0, 0, 0.2, 0.2, 1, 1, 0.7, 0.7}), graph::no_value, t.ints({2, 4, 2, 2})},
                        {attr("coordinate_transformation_mode", AttributeValue(std::string("tf_crop_and_resize")))}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "Resize",
     .what = "WithOneRatioForAllAxesLocks",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {image(t), graph::no_value, graph::no_value, t.ints({2, 4, 7, 7})},
                        {attr("keep_aspect_ratio_policy", AttributeValue(std::string("not_larger")))}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "Resize1"}}},
    {.op = "Resize",
     .what = "HadItsScalesSecond",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Resize", {image(t), reals(t, {1, 1, 2, 2})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"},
     .opset = 10},
    {.op = "Upsample",
     .what = "HadTwoScales",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Upsample", {image(t)}, {attr("height_scale", 2.0f), attr("width_scale", 2.0f)}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"},
     .opset = 1},
    {.op = "Upsample",
     .what = "HadScalesAsAnAttribute",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Upsample", {turned(t)}, {attr("scales", AttributeValue(std::vector<float>{1, 1, 2, 1}))}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "Upsample2"}},
     .opset = 8},
};

}  // namespace

const RuleCases& spatial_cases() {
  static const RuleCases cases = [] {
    RuleCases all = sampling;
    pools(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Spatial, Rules, testing::ValuesIn(spatial_cases()), case_name);

}  // namespace coppice::coupling
