// What a browser does with the page is tested in tests/html.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "gmr/view/view.hpp"
#include "outline/relations.hpp"
#include "support.hpp"
#include "view/html/assets.hpp"
#include "view/html/html.hpp"
#include "view/text.hpp"

namespace gmr::views {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string attack =
    "</script><script>alert(1)</script></title></style><img src=x onerror='alert(1)'>\" "
    "onload=\"x" +
    test::hostile;

// One whose every text comes from somebody who means harm.
report all_hostile() {
  static test::report_builder it;
  report& made = it.made;
  made.cause = made.host = made.package.name = made.package.version = attack;
  made.package_details = key_values{}.add(attack, attack);
  made.process = test::all_kinds();
  made.notes = {attack};
  const frame* const at = it.add_frame(attack, "/srv/" + attack, 7);
  thread_info& thread = it.add_thread(812, attack, {at, it.add_logical(attack, "/srv/b", 1)});
  thread.note = attack;
  thread.waits_for = wait_info{.kind = wait_kind::read, .fd = 5, .peer = attack};
  green_thread_group& group = it.add_group(2, {at});
  group.names = group.spawned = {attack};
  group.labels = {{attack, {attack}}};
  group.waits_for = wait_info{.kind = wait_kind::operation, .name = attack};
  group.operations = {{1, attack, false, 3, attack, 1.0}};
  made.operations = {{1, attack, false, 1, {812}, 1.0, 1.0, {{3, attack, 1.0, {}}}}};
  made.findings = {{finding_kind::deadlock, attack, {812}, {1}, 1}};
  made.configuration = {{attack, attack, attack, attack}};
  made.sections = {{attack, attack, {}}, {attack, {}, attack}};
  return made;
}

std::size_t count_of(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

TEST(HtmlReport, WhatAReportHoldsIsText) {
  const std::string html = to_html(all_hostile());
  EXPECT_EQ(count_of(html, "<script"), 1U);
  EXPECT_EQ(count_of(html, "</script"), 1U);
  EXPECT_EQ(count_of(html, "</title"), 1U);
  EXPECT_EQ(count_of(html, "</style"), 1U);
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\" onload")));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  // Control characters, C1 among them, and marks that turn text around are words.
  EXPECT_FALSE(std::regex_search(html, std::regex{"[\\x00-\\x08\\x0b-\\x1f\\x7f]"}));
  EXPECT_THAT(html, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(html, Not(HasSubstr("\xe2\x80\xae")));
}

// Tabs and line breaks part a stack's lines: none may come from a name.
TEST(HtmlReport, NoNameBreaksTheLinesOfAStack) {
  const std::string html = to_html(all_hostile());
  std::smatch stack;
  ASSERT_TRUE(std::regex_search(html, stack, std::regex{"<div class=stack data-count=1>([^<]*)<"}));
  const std::string lines = stack.str(1);
  EXPECT_EQ(count_of(lines, "\n"), 2U);
  EXPECT_EQ(count_of(lines, "\t"), 4U);
}

TEST(HtmlReport, NothingIsLoaded) {
  const std::string html = to_html(all_hostile());
  EXPECT_THAT(html, HasSubstr("content=\"default-src 'none'; style-src '"));
  EXPECT_THAT(html, Not(testing::ContainsRegex("(src|href)=\"?(https?:|//)")));
  EXPECT_THAT(std::string{html_style}, Not(HasSubstr("url(")));
  EXPECT_THAT(std::string{html_style_hash}, testing::MatchesRegex("sha256-[A-Za-z0-9+/]+="));
  EXPECT_EQ(html_style_hash.size(), 51U);
}

TEST(HtmlReport, LinesOfSourceStandBelowTheirFrames) {
  test::report_builder it;
  const frame* const at = it.add_frame("orders::run", "/srv/run.cpp", 80);
  it.add_thread(812, "io-1", {at, it.add_frame("main", "/srv/main.cpp", 8)});
  const outlines::source_lines code{{at, "while (a < b && run())"}};
  outlines::outline shown = outlines::arrange(it.made);
  shown.code = &code;
  EXPECT_THAT(to_html(shown),
              HasSubstr("run.cpp:80\n\t\t&gt; while (a &lt; b &amp;&amp; run())\n1\tmain"));
  EXPECT_THAT(to_text(shown), HasSubstr("run.cpp:80\n          > while (a < b && run())\n"));
}

// A connection's own port says nothing, and would make a row of each.
TEST(HtmlReport, WaitsAreCountedByOperationAndPeer) {
  test::report_builder it;
  for (const int port : {51000, 51001, 51002}) {
    green_thread_group& group = it.add_group(1, {});
    group.operations = {
        {1, "read", false, 5, "tcp 10.0.0.1:80 - 10.0.0.7:" + std::to_string(port), {}}};
  }
  green_thread_group& client = it.add_group(1, {});
  client.operations = {{1, "write", false, 9, "tcp [::1]:50000 - [::1]:5432", {}}};
  const std::vector<outlines::wait_row> rows = outlines::table_of_waits(it.made);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].peer, "tcp 10.0.0.1:80 - 10.0.0.7");
  EXPECT_EQ(rows[0].green_threads, 3U);
  EXPECT_EQ(rows[1].peer, "tcp [::1] - [::1]:5432");
}

TEST(HtmlReport, RelativesStandBelowEachOtherAlsoInCircles) {
  test::report_builder it;
  green_thread_group& group = it.add_group(5, {});
  group.parent_of = {{2, 1}, {3, 2}, {4, 5}, {5, 4}};
  std::string drawn;
  for (const outlines::relative& each : outlines::tree_of_relatives(it.made))
    drawn.append(each.depth, ' ').append(std::to_string(each.id)).append(each.again ? "!\n" : "\n");
  EXPECT_EQ(drawn, "1\n 2\n  3\n4\n 5\n  4!\n");
}

}  // namespace
}  // namespace gmr::views
