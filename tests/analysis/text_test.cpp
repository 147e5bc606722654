#include "coppice/analysis/text.hpp"

#include <gtest/gtest.h>

#include "coppice/analysis/table.hpp"

namespace coppice::analysis {
namespace {

TEST(Text, Separators) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(11'689'512), "11,689,512");
  EXPECT_EQ(with_separators(-1234), "-1,234");
  EXPECT_EQ(with_separators(-123), "-123");
}

TEST(Text, ShortNumbers) {
  EXPECT_EQ(short_count(0), "0");
  EXPECT_EQ(short_count(512), "512");
  EXPECT_EQ(short_count(1'814'073'344), "1.81 G");
  EXPECT_EQ(short_count(23'310), "23.3 k");
  EXPECT_EQ(short_count(999'960), "1.00 M");
  EXPECT_EQ(short_count(5.9e20), "590.0 E");
  EXPECT_EQ(short_bytes(999), "999 B");
  EXPECT_EQ(short_bytes(46'830'000), "46.8 MB");
}

TEST(Text, PercentNeverRoundsToAllOrNothing) {
  EXPECT_EQ(percent(0), "0.0 %");
  EXPECT_EQ(percent(0.0004), "<0.1 %");
  EXPECT_EQ(percent(0.4979), "49.8 %");
  EXPECT_EQ(percent(0.9999), ">99.9 %");
  EXPECT_EQ(percent(1), "100.0 %");
}

TEST(Text, Ratio) {
  EXPECT_EQ(ratio(3, 1.5), "2.00x");
  EXPECT_EQ(ratio(3, 0), "-");
}

TEST(Text, ShortenKeepsBothEnds) {
  EXPECT_EQ(shorten("short", 8), "short");
  EXPECT_EQ(shorten("abcdefghij", 5), "ab…ij");
  EXPECT_EQ(shorten("abcdefghij", 6), "ab…hij");
  EXPECT_EQ(width(shorten("größenänderung", 7)), 7u);
  EXPECT_EQ(shorten("größenänderung", 7), "grö…ung");
  EXPECT_EQ(shorten("abc", 0), "");
  // Bytes that are no UTF-8 count one column each.
  EXPECT_EQ(width("\xff\xc3"), 2u);
}

TEST(Text, PrintableHasNoControlCharacters) {
  EXPECT_EQ(printable("größe…"), "größe…");
  EXPECT_EQ(printable("a\x1b[31mb\nc\x7f"), "a?[31mb?c?");
  EXPECT_EQ(printable("a\nb\t", "\n"), "a\nb?");
  // U+009B begins an escape sequence as ESC [ does; alone the byte is not UTF-8, nor is a sequence cut short.
  EXPECT_EQ(printable("\xc2\x9b"
                      "1m\xc2\xa0"),
            "?1m\xc2\xa0");
  EXPECT_EQ(printable("\x9b"
                      "1m\xe2\x80"),
            "?1m?");
}

TEST(Table, NamesMayHoldAnything) {
  Table table({{""}, {""}});
  table.row({"a\nb", "\x1b]0;title\x07"});
  EXPECT_EQ(table.text(), "a?b  ?]0;title?\n");
}

TEST(Table, AlignsAndRules) {
  Table table({{"name"}, {"size", Align::right}});
  table.row({"a", "1"});
  table.row({"bbb", "12345"});
  table.rule();
  table.row({"sum"});
  EXPECT_EQ(table.text(),
            "name   size\n"
            "-----------\n"
            "a         1\n"
            "bbb   12345\n"
            "-----------\n"
            "sum\n");
}

TEST(Table, ShrinksTheWidestColumnThatMay) {
  Table table({{"", Align::left, true}, {"", Align::left, true}, {""}});
  table.row({std::string(40, 'a'), std::string(10, 'b'), std::string(20, 'c')});
  // 50 columns less two texts and two gaps: 50 - 10 - 20 - 4.
  const std::string shrunk = std::string(7, 'a') + "…" + std::string(8, 'a');
  EXPECT_EQ(table.text(50), shrunk + "  " + std::string(10, 'b') + "  " + std::string(20, 'c') + "\n");
}

TEST(Table, ColumnsThatMayNotShrinkStayWhole) {
  Table table({{"", Align::left, true}, {""}});
  table.row({std::string(30, 'a'), std::string(60, 'c')});
  const std::string line = table.text(50);
  EXPECT_EQ(width(line) - 1, 8u + 2 + 60);
}

}  // namespace
}  // namespace coppice::analysis
