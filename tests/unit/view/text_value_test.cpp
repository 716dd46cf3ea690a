// Sections as text.
#include "view/text_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"
#include "view/text_table.hpp"

namespace gmr::views {
namespace {

using testing::HasSubstr;

std::string shown(const value& content) {
  page out;
  show_tree(out, 0, content);
  return out.take();
}

TEST(TextValue, PairsAreAligned) {
  EXPECT_EQ(shown(key_values{}.add("a", 1).add("longer", "x")), "a:      1\nlonger: x\n");
}

TEST(TextValue, QuantitiesAreHuman) {
  EXPECT_EQ(shown(key_values{}.add("rss_bytes", 12'898'304)), "rss_bytes: 12.3 MiB (12898304)\n");
  EXPECT_EQ(shown(key_values{}.add("uptime_seconds", 3720)), "uptime_seconds: 1 h 2 min\n");
}

TEST(TextValue, PartsOfAQuantityAreQuantities) {
  EXPECT_EQ(shown(key_values{}.add("memory_bytes", key_values{}.add("peak", 4096))),
            "memory_bytes:\n  peak: 4.0 KiB (4096)\n");
}

TEST(TextValue, NestedValuesAreIndented) {
  EXPECT_EQ(shown(key_values{}.add("outer", key_values{}.add("inner", list{{1, 2}}))),
            "outer:\n  inner:\n    - 1\n    - 2\n");
}

TEST(TextValue, TextKeepsItsLines) {
  EXPECT_EQ(shown(text{"one\n\n  two\n"}), "one\n\n  two\n");
}

TEST(TextValue, EveryKindIsShownAndNothingHostileGetsThrough) {
  const std::string out = shown(test::all_kinds());
  for (const char c : out)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  for (const char* const part :
       {"18446744073709551615", "0.1", "line 2", "uptime_seconds: 1 h 2 min"})
    EXPECT_THAT(out, HasSubstr(part));
}

TEST(TextValue, DeepNestingIsCutAndSaysSo) {
  value tree = 1;
  for (int depth = 0; depth < 2000; ++depth) {
    list outer;
    outer.items.push_back(std::move(tree));  // a braced list would copy it
    tree = std::move(outer);
  }
  EXPECT_THAT(shown(tree), HasSubstr("nested too deep"));
  EXPECT_THAT(inline_text(tree), HasSubstr("nested too deep"));
}

TEST(TextTable, ColumnsAreAlignedAndNumbersStandRight) {
  table rows{{"queue", "depth"}, {{"orders", 7}, {"x", 12345}}};
  EXPECT_EQ(shown(rows), "queue   depth\norders      7\nx       12345\n");
}

TEST(TextTable, ShortRowsArePaddedAndLongOnesCut) {
  table rows{{"a", "b"}, {{"x"}, {"y", "z", "more"}}};
  EXPECT_EQ(shown(rows), "a  b\nx  -\ny  z\n");
}

TEST(TextTable, LongCellsAreCutAndTheLimitIsSaid) {
  table rows{{"a"}, {{std::string(500, 'x')}}};
  const std::string out = shown(rows);
  EXPECT_THAT(out, HasSubstr("xxx...\n"));
  EXPECT_THAT(out, HasSubstr("1 cell cut; the JSON report has them whole"));
}

TEST(TextTable, ManyRowsAreCutAndTheLimitIsSaid) {
  table rows{{"a"}, {}};
  for (int count = 0; count < 100'000; ++count)
    rows.rows.push_back({count});
  const std::string out = shown(rows);
  EXPECT_THAT(out, HasSubstr("99000 rows more than the first 1000"));
  EXPECT_LT(out.size(), 100'000U);
}

TEST(TextTable, TheWidestColumnsAreCutUntilTheTableFits) {
  const std::string wide(48, 'w');
  const std::string less(40, 'l');
  const table rows{{"a", "b", "c"}, {{wide, less, std::string(20, 's')}, {"1", "2", "3"}}};
  const std::string out = shown(rows);
  EXPECT_EQ(out.substr(out.find('\n') + 1, page::width),
            std::string(35, 'w') + "...  " + std::string(35, 'l') + "...  " + std::string(20, 's'));
  EXPECT_THAT(out, HasSubstr("2 cells cut"));
}

TEST(TextTable, ATableThatIsTooWideBecomesRecords) {
  table rows;
  std::vector<value> row;
  for (int column = 0; column < 12; ++column) {
    rows.columns.push_back("column" + std::to_string(column));
    row.emplace_back("content " + std::to_string(column));
  }
  rows.rows.push_back(row);
  const std::string out = shown(rows);
  EXPECT_THAT(out, testing::StartsWith("- column0: content 0, column1: content 1"));
  EXPECT_THAT(out, HasSubstr("column11: content 11"));
  for (std::size_t from = 0; from < out.size();) {
    const std::size_t end = out.find('\n', from);
    EXPECT_LE(end - from, page::width);
    from = end + 1;
  }
}

}  // namespace
}  // namespace gmr::views
