#include "cli/output.hpp"

#include <cstdio>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"
#include "coppice/base/error.hpp"

namespace coppice::cli {

void print(const std::string& text) {
  std::fputs(analysis::printable(text, "\n").c_str(), stdout);
  std::fflush(stdout);  // whoever reads a pipe wants each epoch when it ends
}

void print_json(const nlohmann::ordered_json& json) {
  // Names in a file need not be valid UTF-8, JSON must be.
  print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void say(const std::string& message) {
  std::fprintf(stderr, "coppice: %s\n", analysis::printable(message).c_str());
}

void check_target(const std::string& path) {
  std::error_code error;
  const std::filesystem::path target(path);
  if (std::filesystem::is_directory(target, error)) throw Error(path + ": expected a file to write, found a folder");
  if (std::filesystem::exists(target, error) && !std::filesystem::is_regular_file(target, error))
    throw Error(path + ": expected a regular file to write");
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  if (!std::filesystem::is_directory(folder, error))
    throw Error(path + ": cannot write: the folder \"" + folder.string() + "\" does not exist");
}

bool same_file(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return false;
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  const auto full = [&](const std::string& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  return full(a) == full(b);
}

std::uint64_t file_bytes(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace coppice::cli
