#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace coppice::analysis {

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  bool shrinks = false;  ///< Its texts may lose their middle when the table is too wide.
};

/// Plain text in aligned columns, two blanks apart.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One text a column, made printable(); missing ones are empty. Texts in excess are dropped.
  void row(std::vector<std::string> texts);
  /// A line under the rows so far, as above a sum.
  void rule() { rows_.emplace_back(); }

  bool empty() const { return rows_.empty(); }
  /// Lines that end in '\n', no longer than `width` columns as far as the shrinking columns allow (each keeps at least
  /// eight columns). No title line when all titles are empty.
  std::string text(std::size_t width = 80) const;

 private:
  std::vector<std::size_t> fit(std::size_t width) const;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  ///< An empty row is a rule.
};

}  // namespace coppice::analysis
