// Reports that nobody asked for are limited, and what the reporter does is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "reporter/report_limiter.hpp"
#include "support.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ReportLimiter, AdmitsSoManyInAnyMinute) {
  report_limiter limiter{3};
  const auto start = report_limiter::clock::now();
  EXPECT_TRUE(limiter.admit(start));
  EXPECT_TRUE(limiter.admit(start + 20s));
  EXPECT_TRUE(limiter.admit(start + 40s));
  EXPECT_FALSE(limiter.admit(start + 59s));
  EXPECT_TRUE(limiter.admit(start + 60s));
  EXPECT_FALSE(limiter.admit(start + 79s)) << "what was refused must not count, nor be forgotten";
  EXPECT_TRUE(limiter.admit(start + 80s));
}

TEST(ReportLimiter, WithoutALimitAdmitsAll) {
  report_limiter limiter{0};
  for (int i = 0; i < 10'000; ++i)
    ASSERT_TRUE(limiter.admit(report_limiter::clock::now()));
}

class Statistics : public testing::Test {
 protected:
  settings limited(std::size_t per_minute) {
    settings set = directory_.set();
    set.reports_per_minute = per_minute;
    return set;
  }
  test::report_directory directory_;
};

TEST_F(Statistics, WhatIsRefusedIsToldByTheNextReport) {
  reporter reports{{.name = "orders"}, limited(2)};
  EXPECT_TRUE(reports.request_automatic("the queue is long"));
  ASSERT_TRUE(directory_.wait_for(1));
  EXPECT_TRUE(reports.request_automatic("the queue is longer"));
  ASSERT_TRUE(directory_.wait_for(2));
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(reports.request_automatic("the queue is endless"));
  reports.request("somebody asks");
  ASSERT_TRUE(directory_.wait_for(3)) << "who asks is never refused";
  ASSERT_TRUE(test::eventually([&] { return reports.counters().all.made == 3; }));
  const report next = reports.make();
  EXPECT_EQ(next.refused, 0U) << "it is told once";
  EXPECT_THAT(directory_.reports().at(0), HasSubstr("Report:  1\n"));
  EXPECT_THAT(directory_.reports().at(2),
              HasSubstr("Report:  3 (3 automatic ones refused since the last report)\n"));
}

TEST_F(Statistics, CountByCause) {
  reporter reports{{.name = "orders"}, limited(1)};
  EXPECT_EQ(reports.counters().all.asked, 0U);
  EXPECT_EQ(reports.counters().last_duration, 0ns);
  static_cast<void>(reports.make());
  reports.request("request");
  EXPECT_TRUE(reports.request_automatic("once"));
  EXPECT_FALSE(reports.request_automatic("twice"));
  ASSERT_EQ(::kill(::getpid(), SIGUSR2), 0);
  ASSERT_TRUE(test::eventually([&] {
    const report_counters now = reports.counters();
    return now.of(report_cause::signal).made == 1 && now.of(report_cause::request).made == 1 &&
           now.of(report_cause::automatic).made == 1;
  }));
  const report_counters counted = reports.counters();
  EXPECT_EQ(counted.all.asked, 5U);
  EXPECT_EQ(counted.all.refused, 1U);
  EXPECT_GE(counted.all.made, 2U);
  EXPECT_LE(counted.all.made, 4U) << "those that came together have one report";
  EXPECT_EQ(counted.all.failed, 0U);
  EXPECT_EQ(counted.raw, 0U);
  EXPECT_GT(counted.last_duration, 0ns);
  EXPECT_EQ(counted.of(report_cause::call).made, 1U);
  EXPECT_EQ(counted.of(report_cause::automatic).asked, 2U);
  EXPECT_EQ(counted.of(report_cause::automatic).refused, 1U);
  EXPECT_EQ(counted.of(report_cause::touched_file).asked, 0U);
}

TEST_F(Statistics, AReportThatIsNowhereHasFailed) {
  // Standard error is closed in a child: there is no place left.
  settings set = limited(0);
  set.log_dir = directory_.path() / "missing";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(STDERR_FILENO);
    reporter reports{{.name = "orders"}, set};
    reports.request("request");
    const bool failed =
        test::eventually([&] { return reports.counters().of(report_cause::request).failed == 1; });
    ::_exit(failed && reports.counters().all.made == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Statistics, AreReadWhileReportsAreMade) {
  reporter reports{{.name = "orders"}, limited(0)};
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      for (std::uint64_t last = 0; !stop;) {
        const std::uint64_t now = reports.counters().all.made;
        EXPECT_GE(now, last);
        last = now;
      }
    });
  for (int i = 0; i < 3; ++i)
    static_cast<void>(reports.make());
  EXPECT_EQ(reports.counters().of(report_cause::call).made, 3U);
  stop = true;
  for (std::thread& each : readers)
    each.join();
}

TEST_F(Statistics, AForkedChildHasNone) {
  reporter reports{{.name = "orders"}, limited(0)};
  static_cast<void>(reports.make());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool none = reports.counters().all.asked == 0 && !reports.request_automatic("child");
    ::_exit(none ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace gmr
