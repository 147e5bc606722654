#pragma once
#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace coppice::cli {

/// Results go to the standard output, without control characters: names in them come from files.
void print(const std::string& text);
void print_json(const nlohmann::ordered_json& json);
/// Messages go to the standard error, one line each.
void say(const std::string& message);

/// Throws Error when the folder of `path` does not exist or `path` is a folder: better now than after the work.
void check_target(const std::string& path);
/// Whether two paths lead to the same file, there or still to be written.
bool same_file(const std::string& a, const std::string& b);
/// Size of a file; 0 when there is none.
std::uint64_t file_bytes(const std::string& path);

}  // namespace coppice::cli
