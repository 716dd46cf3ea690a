// A report that is read from JSON says in every form what it said.
#include "gmr/read/read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "gmr/view/view.hpp"
#include "unit/view/golden_reports.hpp"
#include "unit/view/support.hpp"

namespace gmr {
namespace {

using testing::HasSubstr;

class ReadReport : public testing::TestWithParam<views::test::golden_report> {};

TEST_P(ReadReport, IsTheSameInJson) {
  const std::string json = to_json(GetParam().make());
  EXPECT_EQ(to_json(read_json(json)), json);
}

// What JSON does not have: a tree is shown as groups, and where a note or a line break belongs.
TEST_P(ReadReport, SaysTheSameAsText) {
  report made = GetParam().make();
  made.list = report_list::groups;
  EXPECT_EQ(to_text(read_json(to_json(made))), to_text(made));
}

INSTANTIATE_TEST_SUITE_P(Reports, ReadReport, testing::ValuesIn(views::test::golden_reports()),
                         [](const auto& each) { return each.param.name; });

report with_everything() {
  static views::test::report_builder it;
  report& made = it.made;
  made.list = report_list::each;
  made.cause = views::test::hostile;
  made.sections = {{"All", views::test::all_kinds(), {}}, {"Failed", {}, "why"}};
  const frame* const at = it.add_frame(views::test::hostile, "/srv/a.cpp", 7);
  thread_info& thread = it.add_thread(812, "io", {at, at});
  thread.runs = 18'446'744'073'709'551'615U;
  thread.stack.truncated = true;
  thread.note = "first";
  thread.waits_for = wait_info{.kind = wait_kind::system_call, .name = "system call 219"};
  made.green_threads.stacks = {{{at}, false, "guessed"}, {{}, true, ""}};
  green_thread_info each;
  each.id = 5;
  each.labels = {{"b", "x"}, {"a", views::test::hostile}};
  each.extent = stack_extent{0x1000, 0x2000, 512};
  each.waits_for = wait_info{.kind = wait_kind::operation, .name = "http read"};
  each.operations = {{5, "read", true, 7, "tcp", -1.5}};
  each.parent = 4;
  each.stack = 1;
  made.green_threads.listed = {each};
  made.green_threads.count = 1;
  return made;
}

TEST(ReadReport, EverythingThatJsonHasIsKept) {
  const std::string json = to_json(with_everything());
  EXPECT_EQ(to_json(read_json(json)), json);
}

std::string error_of(const std::string& json) {
  try {
    static_cast<void>(read_json(json));
  } catch (const unreadable_report& error) {
    return error.what();
  }
  return "none";
}

TEST(ReadReport, WhereverItIsCutItIsSaid) {
  const std::string json = to_json(with_everything());
  for (std::size_t length = 0; length + 2 < json.size(); length += 7)
    EXPECT_THAT(error_of(json.substr(0, length)),
                HasSubstr("cut after " + std::to_string(length) + " bytes"));
}

TEST(ReadReport, WhatIsNoReportIsRefusedInOneLine) {
  EXPECT_THAT(error_of("{}"), HasSubstr("no report"));
  EXPECT_THAT(error_of("[1]"), HasSubstr("no report"));
  EXPECT_THAT(error_of("{\"schema\": 3, }"), HasSubstr("no JSON at byte 14"));
  EXPECT_THAT(error_of(R"({"schema":3,"time":"yesterday"})"), HasSubstr("time: a time"));
  const std::string head = R"({"schema":3,"time":"2026-01-31T12:00:00.123Z")";
  EXPECT_EQ(error_of(head + "}"), "none");
  EXPECT_THAT(error_of(head + R"(,"threads":[{"id":"x"}]})"), HasSubstr("id: a whole number"));
  EXPECT_THAT(error_of(head + R"(,"threads":[{"id":-99999999999}]})"), HasSubstr("id: a whole"));
  EXPECT_THAT(error_of(head + R"(,"threads":{}})"), HasSubstr("threads: an array"));
  EXPECT_THAT(error_of(head + R"(,"threads":[1]})"), HasSubstr("an object around it"));
  EXPECT_THAT(error_of(head + R"(,"modules":[{"base":"12"}]})"), HasSubstr("base: an address"));
}

TEST(ReadReport, TimesThatNoClockShowsAreRefused) {
  for (const char* time :
       {"9999-12-31T12:00:00.123Z", "2201-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z",
        "-999-01-31T12:00:00.123Z", "2026--1-31T12:00:00.123Z", "2026-01-31T-1:00:00.123Z",
        "2026-01-31T12:00:00.-12Z", "2026-01-31T12:00:00.12"})
    EXPECT_THAT(error_of(R"({"schema":3,"time":")" + std::string{time} + "\"}"),
                HasSubstr("time: a time"))
        << time;
  for (const char* time : {"1970-01-01T00:00:00.000Z", "2200-12-31T23:59:59.999Z"})
    EXPECT_EQ(error_of(R"({"schema":3,"time":")" + std::string{time} + "\"}"), "none") << time;
}

// The smallest number there is has no negative.
TEST(ReadReport, ChangesOfAnySizeAreShown) {
  const report made =
      read_json(R"({"schema":3,"time":"2026-01-31T12:00:00.123Z","changes":{"since_report":1,)"
                R"("elapsed_seconds":1,"threads":-9223372036854775808,"green_threads":-2}})");
  const std::string text = to_text(made);
  EXPECT_THAT(text, HasSubstr("threads -9223372036854775808, green threads -2"));
}

TEST(ReadReport, WhatIsNestedDeepDoesNotUseUpTheStack) {
  const std::string deep = R"({"schema":3,"time":"2026-01-31T12:00:00.123Z","process":{"a":)" +
                           std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}}";
  EXPECT_THAT(to_text(read_json(deep)), HasSubstr("nested too deep"));
}

TEST(ReadReport, WhatALaterVersionAddsIsNoFault) {
  const report made = read_json(
      R"({"schema":99,"new":[{}],"time":"2026-01-31T12:00:00.123Z",)"
      R"("findings":[{"kind":"brand_new","text":"it is","threads":[],"green_threads":[],"stacks":[]}]})");
  EXPECT_THAT(to_text(made), HasSubstr("brand_new: it is"));
}

}  // namespace
}  // namespace gmr
