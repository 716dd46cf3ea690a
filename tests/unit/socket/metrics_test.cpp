#include "socket/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace gmr::sockets {
namespace {

using testing::HasSubstr;

std::string page() {
  report_counters counters;
  counters.all = {.asked = 5, .refused = 1, .made = 3, .failed = 1};
  counters.total_duration = std::chrono::milliseconds{250};
  counters.last_duration = std::chrono::milliseconds{50};
  counters.by_cause[static_cast<std::size_t>(report_cause::signal)] = {
      .asked = 4, .refused = 0, .made = 3, .failed = 1};
  return metrics_of({.name = "or\"de\\rs\n", .version = "1.2"}, counters);
}

TEST(Metrics, HaveReportsByCauseAndOutcome) {
  const std::string text = page();
  EXPECT_THAT(text, HasSubstr("gmr_report_requests_total{cause=\"signal\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("gmr_reports_total{cause=\"signal\",outcome=\"made\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("gmr_reports_total{cause=\"signal\",outcome=\"failed\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gmr_reports_total{cause=\"socket\",outcome=\"made\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gmr_report_duration_seconds_sum 0.25\n"));
  EXPECT_THAT(text, HasSubstr("gmr_report_duration_seconds_count 4\n"));
}

TEST(Metrics, HaveRefusalsOfEachCause) {
  report_counters counters;
  for (const report_cause each : {report_cause::stall, report_cause::mark})
    counters.by_cause[static_cast<std::size_t>(each)].refused = 7;
  const std::string text = metrics_of({.name = "orders", .version = "1"}, counters);
  EXPECT_THAT(text, HasSubstr("gmr_report_requests_refused_total{cause=\"stall\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("gmr_report_requests_refused_total{cause=\"mark\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("gmr_report_requests_refused_total{cause=\"automatic\"} 0\n"));
}

TEST(Metrics, SayWhetherAllWasCounted) {
  for (const std::string what : {"threads", "green_threads", "operations"})
    EXPECT_THAT(page(), HasSubstr("gmr_counted_completely{what=\"" + what + "\"} "));
}

TEST(Metrics, CountThreads) {
  EXPECT_THAT(page(), testing::ContainsRegex("gmr_threads\\{state=\"running\"\\} [1-9]"));
}

// As the text format of Prometheus has it.
TEST(Metrics, EachLineIsWellFormedAndEachNameDescribedOnce) {
  const std::regex sample{
      R"re([a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\})? [0-9.e+-]+)re"};
  std::set<std::string> described;
  std::istringstream lines{page()};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_TRUE(described.insert(line.substr(7, line.find(' ', 7) - 7)).second) << line;
    } else if (!line.starts_with("# TYPE ")) {
      EXPECT_TRUE(std::regex_match(line, sample)) << line;
    }
  }
  EXPECT_THAT(described, testing::Contains("gmr_green_threads"));
}

}  // namespace
}  // namespace gmr::sockets
