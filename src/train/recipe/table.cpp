#include "train/recipe/table.hpp"

#include <limits>
#include <sstream>

#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/pruning/ratio.hpp"

namespace coppice::recipe {
namespace {

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (toml::is_table<Value>)
      out << "a table";
    else if constexpr (toml::is_array<Value>)
      out << "a list";
    else if constexpr (toml::is_string<Value>)
      out << '"' << value.get() << '"';
    else
      out << value;
  });
  return out.str();
}

bool is_number(const toml::node& node) {
  return node.is_number();
}
bool is_whole(const toml::node& node) {
  return node.is_integer();
}
bool is_bool(const toml::node& node) {
  return node.is_boolean();
}
bool is_text(const toml::node& node) {
  return node.is_string();
}
bool is_table(const toml::node& node) {
  return node.is_table();
}
bool is_ratio(const toml::node& node) {
  return node.is_number() || node.is_string();
}
template <bool (*kFits)(const toml::node&)>
bool is_list(const toml::node& node) {
  const toml::array* const list = node.as_array();
  if (!list) return false;
  for (const toml::node& element : *list)
    if (!kFits(element)) return false;
  return true;
}

}  // namespace

void Table::fail_at(const toml::node* node, std::string_view key, const std::string& message) const {
  const auto line = node ? node->source().begin.line : table_.source().begin.line;
  std::string name = path_;
  if (!name.empty() && !key.empty()) name += ".";
  name += key;
  throw Error(where_ + ":" + std::to_string(line) + ": " + name + ": " + message);
}

void Table::fail(std::string_view key, const std::string& message) const {
  fail_at(table_.get(key), key, message);
}

bool Table::has(std::string_view key) {
  known_.emplace_back(key);
  return table_.contains(key);
}

const toml::node* Table::find(std::string_view key, const char* expected, bool (*fits)(const toml::node&)) {
  known_.emplace_back(key);
  const toml::node* const node = table_.get(key);
  if (node && !fits(*node)) fail_at(node, key, std::string("expected ") + expected + ", found " + shown(*node));
  return node;
}

void Table::read(std::string_view key, std::int64_t& out) {
  if (const toml::node* node = find(key, "a whole number", is_whole)) out = *node->value<std::int64_t>();
}

void Table::read(std::string_view key, int& out) {
  std::int64_t value = out;
  read(key, value);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    fail(key, "expected a smaller number, found " + std::to_string(value));
  out = static_cast<int>(value);
}

void Table::read(std::string_view key, std::uint64_t& out) {
  auto value = static_cast<std::int64_t>(out);
  read(key, value);
  if (value < 0) fail(key, "expected 0 or more, found " + std::to_string(value));
  out = static_cast<std::uint64_t>(value);
}

void Table::read(std::string_view key, double& out) {
  if (const toml::node* node = find(key, "a number", is_number)) out = *node->value<double>();
}

void Table::read(std::string_view key, std::optional<double>& out) {
  if (const toml::node* node = find(key, "a number", is_number)) out = *node->value<double>();
}

void Table::read(std::string_view key, bool& out) {
  if (const toml::node* node = find(key, "true or false", is_bool)) out = *node->value<bool>();
}

void Table::read(std::string_view key, std::string& out) {
  if (const toml::node* node = find(key, "a text", is_text)) out = *node->value<std::string>();
}

void Table::read(std::string_view key, std::vector<double>& out) {
  const toml::node* const node = find(key, "a list of numbers", is_list<is_number>);
  if (!node) return;
  out.clear();
  for (const toml::node& element : *node->as_array()) out.push_back(*element.value<double>());
}

void Table::read(std::string_view key, std::vector<std::string>& out) {
  const toml::node* const node = find(key, "a list of texts", is_list<is_text>);
  if (!node) return;
  out.clear();
  for (const toml::node& element : *node->as_array()) out.push_back(*element.value<std::string>());
}

double Table::ratio_of(std::string_view key, const toml::node& node) const {
  try {
    return pruning::parse_ratio(node.is_string() ? *node.value<std::string>() : shown(node));
  } catch (const Error& error) {
    fail_at(&node, key, error.what());
  }
}

void Table::read_ratio(std::string_view key, double& out) {
  if (const toml::node* node = find(key, "a ratio such as 0.3 or \"30%\"", is_ratio)) out = ratio_of(key, *node);
}

void Table::read_ratio(std::string_view key, std::optional<double>& out) {
  double value = 0;
  read_ratio(key, value);
  if (table_.contains(key)) out = value;
}

void Table::read_name(std::string_view key, const std::function<void(const std::string&)>& parse) {
  const toml::node* const node = find(key, "a text", is_text);
  if (!node) return;
  try {
    parse(*node->value<std::string>());
  } catch (const Error& error) {
    fail_at(node, key, error.what());
  }
}

void Table::read_table(std::string_view key, const std::function<void(Table&)>& fill) {
  const toml::node* const node = find(key, "a table", is_table);
  if (!node) return;
  Table inner(*node->as_table(), where_, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
  fill(inner);
  inner.finish();
}

void Table::read_ratios(std::string_view key, const std::function<void(const std::string&, double)>& add) {
  const toml::node* const node = find(key, "a table of ratios", is_table);
  if (!node) return;
  for (const auto& [name, value] : *node->as_table()) {
    if (!is_ratio(value))
      fail_at(&value, key, "\"" + std::string(name.str()) + "\": expected a ratio, found " + shown(value));
    add(std::string(name.str()), ratio_of(key, value));
  }
}

void Table::finish() const {
  for (const auto& [key, value] : table_) {
    const std::string_view name = key.str();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::vector<std::string_view> names(known_.begin(), known_.end());
    const auto meant = base::nearest(name, names, 1);
    fail_at(&value, name, "unknown key" + (meant.empty() ? "" : "; did you mean " + std::string(meant.front()) + "?"));
  }
}

}  // namespace coppice::recipe
