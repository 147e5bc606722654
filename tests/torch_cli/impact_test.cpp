#include <sstream>

#include <gtest/gtest.h>

#include "cli/program.hpp"

namespace coppice::test {
namespace {

using Json = nlohmann::json;
using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string last_line(const Outcome& outcome) {
  const Lines lines = lines_of(outcome.err);
  return lines.empty() ? "" : lines.back();
}

TEST(Impact, TellsTheSameInEveryForm) {
  const std::string model = zoo_file("mlp");
  const Lines same = {"impact", model, "--method", "magnitude:90%,channels:50%", "--seconds", "0.05"};
  const auto with = [&](const std::string& flag) {
    Lines out = same;
    out.push_back(flag);
    return out;
  };
  const Json json = run_json(same);
  ASSERT_EQ(json["rows"].size(), 3U);
  EXPECT_EQ(json["rows"][1]["method"], "magnitude:90%");
  EXPECT_EQ(json["rows"][1]["zeros"], 211277);
  EXPECT_LT(json["rows"][2]["parameters"], json["rows"][0]["parameters"]);
  EXPECT_TRUE(json["metric"].is_null());
  const Outcome csv = run(with("--csv")), markdown = run(with("--markdown")), text = run(same);
  for (const Outcome& found : {csv, markdown, text}) {
    EXPECT_EQ(found.code, 0) << found.err;
    for (const char* row : {"original", "magnitude:90%", "channels:50%"})
      EXPECT_NE(found.out.find(row), std::string::npos) << found.out;
  }
  EXPECT_EQ(lines_of(csv.out).size(), 4U);
  EXPECT_EQ(lines_of(csv.out)[2].rfind("magnitude:90%,235146,211277,", 0), 0U) << csv.out;
  for (const std::string& line : lines_of(text.out)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Impact, TakesDataAndItsLabels) {
  const Scratch scratch;
  const std::string model = zoo_file("fashion_resnet20");
  const Json found =
      run_json({"impact", model, "--data", "fashion-mnist:32", "--method", "snip:50%,wanda:2:4", "--seconds", "0.05"});
  EXPECT_EQ(found["metric"], "accuracy");
  ASSERT_EQ(found["rows"].size(), 3U);
  for (const Json& row : found["rows"]) {
    EXPECT_GE(row["metric"], 0.0) << row;
    EXPECT_LE(row["metric"], 1.0) << row;
  }
  EXPECT_GT(found["rows"][2]["error"], 0.0);
}

TEST(Impact, SaysWhatIsWrong) {
  const std::string model = zoo_file("mlp");
  struct Case {
    Lines arguments;
    int code;
    std::string line;
  };
  for (const auto& [arguments, code, line] : std::vector<Case>{
           {{"--method", "wanda:50%"}, 2, "--method wanda:50%: it looks at data, expected --data DATA"},
           {{"--method", "foo:50%"}, 1, "method 'foo:50%': criterion: expected one of 25, found 'foo'"},
           {{"--method", "magnitude:150%"}, 1, "sparsity: expected 0 to 100 percent, such as 0.3, 30 or 30%"},
           {{"--metric", "beauty", "--data", "x.npy"}, 1, "x.npy"},
           {{"--json", "--csv"}, 2, "--json, --csv and --markdown exclude one another"},
           {{"--loss", "hinge"}, 2, "--loss: expected cross-entropy or mse, found 'hinge'"},
           {{"--seconds", "0"}, 2, "--seconds"},
       }) {
    Lines all = {"impact", model};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Outcome found = run(all);
    EXPECT_EQ(found.code, code) << found.err;
    EXPECT_NE(last_line(found).find(line), std::string::npos) << found.err;
    EXPECT_EQ(found.out, "");
  }
}

}  // namespace
}  // namespace coppice::test
