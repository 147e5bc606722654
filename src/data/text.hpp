#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coppice::data {

/// What data::read() takes, for messages.
inline constexpr const char* kinds_of_data =
    "x.npy:y.npy, pairs.npz[:X:Y], fashion-mnist[:N], idx:FOLDER[:N], cifar10:FOLDER[:N], cifar100:FOLDER[:N], "
    "images:FOLDER:SIZE or tokens:FILE:LENGTH";

/// All of `text` as a number.
std::optional<std::int64_t> whole_number(std::string_view text);

/// "NAME:NUMBER", where the name may hold colons: only a last part that is a number counts as one.
struct Numbered {
  std::string name;
  std::optional<std::int64_t> number;
};
Numbered split_number(std::string_view text);

/// Throws Error, which shows the whole `text`, unless there is no number or one of 1 or more; 0 for none.
std::int64_t at_least_one(const std::string& text, std::optional<std::int64_t> number);

}  // namespace coppice::data
