// The lines that scripts for reports of oslo.reports search for.
#include "view/oslo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "support.hpp"
#include "view/oslo_value.hpp"

namespace gmr::views {
namespace {

using testing::HasSubstr;

TEST(OsloReport, TitlesAreCenteredIn72Columns) {
  test::report_builder it;
  it.add_thread(
      812, "io-1",
      {it.add_frame("orders::run", "/srv/run.cpp", 80), it.add_frame("main", "/srv/main.cpp", 8)});
  const std::string text = to_oslo(outlines::arrange(it.made));
  const std::string rule(72, '=');
  EXPECT_THAT(text, testing::StartsWith(rule +
                                        "\n====                        Guru Meditation       "
                                        "                  ====\n" +
                                        rule + "\n" + std::string(72, '|') + "\n"));
  EXPECT_THAT(text, HasSubstr("\n====" + centered("Threads", 64) + "====\n"));
  EXPECT_THAT(text, HasSubstr("\n------" + centered(" Thread #812 ", 60) + "------\n"));
  EXPECT_THAT(text, HasSubstr("product = orders\nvendor = None\nversion = 1.4.2\n"));
  EXPECT_THAT(text,
              HasSubstr("Process 811 (under None) [ run by: None (None), state: running ]\n"));
  // Outermost frame first.
  EXPECT_THAT(text, HasSubstr("\n/srv/main.cpp:8 in main\n    (source not found)\n"
                              "\n/srv/run.cpp:80 in orders::run\n    (source not found)\n"));
}

TEST(OsloReport, TheOddBlankStandsBehind) {
  EXPECT_EQ(centered("ab", 5), " ab  ");
  EXPECT_EQ(centered("abcdef", 5), "abcdef");
}

TEST(OsloReport, OptionsAreInTheirGroupsInOrderOfNames) {
  test::report_builder it;
  it.made.configuration = {
      {"http", "port", 80, "x"}, {"", "verbose", true, "x"}, {"http", "bind", value{}, "x"}};
  EXPECT_THAT(to_oslo(outlines::arrange(it.made)),
              HasSubstr("\ndefault: \n  verbose = True\n\nhttp: \n  bind = None\n  port = 80\n"));
}

TEST(OsloReport, ValuesAreKeysListsAndTables) {
  const value tree = key_values{}
                         .add("b", list{{1, "two"}})
                         .add("a", key_values{}.add("x", 0.5))
                         .add("note", text{"one\ntwo\n"});
  EXPECT_EQ(oslo_tree(tree), "a = \n  x = 0.5\nb = \n  1\n  two\nnote = \n  one\n  two\n");
  table rows{{"queue", "depth"}, {{"in", 3}}};
  std::istringstream lines{oslo_tree(rows)};
  for (std::string line; std::getline(lines, line);)
    EXPECT_EQ(line.size(), 72U) << line;
}

TEST(OsloReport, NoBytesThatATerminalObeys) {
  test::report_builder it;
  it.made.cause = test::hostile;
  it.made.sections.push_back({test::hostile, test::all_kinds(), {}});
  it.add_thread(812, "x", {it.add_frame(test::hostile, test::hostile, 1)});
  const std::string text = to_oslo(outlines::arrange(it.made));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);
}

}  // namespace
}  // namespace gmr::views
