#pragma once
#include <string>

#include <CLI/CLI.hpp>

namespace coppice::cli {

/// Help texts: what it does, usage, arguments, options by group, examples (the footer, one a line); 80 columns.
class Help : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
};

}  // namespace coppice::cli
