#include "socket/orders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gmr::sockets {
namespace {

using outlines::part;
using testing::HasSubstr;
using testing::Not;

const report_order usual{.format = report_format::json,
                         .shape = {.list = report_list::each, .order = group_order::oldest}};

report_order report_of(std::string_view target) {
  const order read = read_target(target, usual);
  const auto* const found = std::get_if<report_order>(&read);
  EXPECT_NE(found, nullptr) << target;
  return found == nullptr ? report_order{} : *found;
}

refusal refused(std::string_view target) {
  const order read = read_target(target, usual);
  const auto* const found = std::get_if<refusal>(&read);
  EXPECT_NE(found, nullptr) << target;
  return found == nullptr ? refusal{} : *found;
}

TEST(Orders, WhatIsNotSaidIsAsTheOptionsHaveIt) {
  const report_order read = report_of("/report");
  EXPECT_EQ(read.format, report_format::json);
  EXPECT_EQ(read.shape, usual.shape);
}

TEST(Orders, EachParameterIsTaken) {
  const report_order read =
      report_of("/report?format=text&list=tree&order=largest&sections=threads,configuration");
  EXPECT_EQ(read.format, report_format::text);
  EXPECT_EQ(read.shape.list, report_list::tree);
  EXPECT_EQ(read.shape.order, group_order::largest);
  EXPECT_TRUE(read.shape.has(part::threads));
  EXPECT_TRUE(read.shape.has(part::configuration));
  EXPECT_FALSE(read.shape.has(part::green_threads));
  EXPECT_EQ(read.shape.parts.count(), 2U);
}

TEST(Orders, EscapesOfUrlsAreRead) {
  EXPECT_TRUE(report_of("/report?sections=threads%2Cpackage").shape.has(part::package));
}

TEST(Orders, MetricsHaveNoParameters) {
  EXPECT_TRUE(std::holds_alternative<metrics_order>(read_target("/metrics", usual)));
  EXPECT_EQ(refused("/metrics?format=json").status, 400U);
}

TEST(Orders, ARefusalNamesParameterValueAndWhatIsAllowed) {
  EXPECT_EQ(refused("/report?list=all").line,
            "list: 'all' is not acceptable: one of groups, each, tree is needed");
  EXPECT_EQ(refused("/report?lists=each").line,
            "'lists' is no parameter: one of format, list, order, sections is needed");
  EXPECT_THAT(refused("/report?sections=threads,stacks").line,
              testing::AllOf(HasSubstr("'stacks'"), HasSubstr("green_threads")));
  EXPECT_THAT(refused("/report?sections=").line, HasSubstr("''"));
  EXPECT_THAT(refused("/report?format").line, HasSubstr("format: ''"));
}

TEST(Orders, OtherResourcesAreNotHere) {
  EXPECT_EQ(refused("/").status, 404U);
  EXPECT_EQ(refused("/report/").status, 404U);
  EXPECT_THAT(refused("/debug").line, HasSubstr("/report and /metrics"));
}

TEST(Orders, HostileTargetsStayOneLine) {
  for (const std::string_view target :
       {"/%0a", "/report?list=%0d%0aX-Evil:%201", "*", "http://x/report", "", "/%zz", "/\x80"}) {
    const refusal answer = refused(target);
    EXPECT_THAT(answer.line, Not(HasSubstr("\n"))) << target;
    EXPECT_THAT(answer.line, Not(HasSubstr("\r"))) << target;
  }
}

}  // namespace
}  // namespace gmr::sockets
