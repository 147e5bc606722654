#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace coppice::recipe {

/// A table of a TOML file that is read key by key. Every function leaves `out` alone where the key is missing, and
/// throws Error ("where:line: key: expected..., found...") where the value is of another kind.
class Table {
 public:
  Table(const toml::table& table, std::string where, std::string path)
      : table_(table), where_(std::move(where)), path_(std::move(path)) {}

  void read(std::string_view key, std::int64_t& out);
  void read(std::string_view key, int& out);
  void read(std::string_view key, std::uint64_t& out);
  void read(std::string_view key, double& out);
  void read(std::string_view key, bool& out);
  void read(std::string_view key, std::string& out);
  void read(std::string_view key, std::vector<double>& out);
  void read(std::string_view key, std::vector<std::string>& out);
  void read(std::string_view key, std::optional<double>& out);
  /// 0.3, 30 or "30%".
  void read_ratio(std::string_view key, double& out);
  void read_ratio(std::string_view key, std::optional<double>& out);
  /// A text that `parse` turns into something; what it throws gets line and key.
  void read_name(std::string_view key, const std::function<void(const std::string&)>& parse);
  /// Calls back with a table in this one, and then refuses what the callback did not read.
  void read_table(std::string_view key, const std::function<void(Table&)>& fill);
  /// Calls back with every key and value of a table of ratios.
  void read_ratios(std::string_view key, const std::function<void(const std::string&, double)>& add);

  bool has(std::string_view key);
  /// Throws Error for the first key that was not asked for, with the nearest that were.
  void finish() const;
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  const toml::node* find(std::string_view key, const char* expected, bool (*fits)(const toml::node&));
  [[noreturn]] void fail_at(const toml::node* node, std::string_view key, const std::string& message) const;
  double ratio_of(std::string_view key, const toml::node& node) const;

  const toml::table& table_;
  std::string where_, path_;
  std::vector<std::string> known_;
};

}  // namespace coppice::recipe
