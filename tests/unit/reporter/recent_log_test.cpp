// The last lines of a service's log.
#include "reporter/recent_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmr/reporter.hpp"

namespace gmr {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<std::string> texts_in(const recent_log& log) {
  std::vector<std::string> texts;
  for (const log_line& each : log.read())
    texts.push_back(each.text);
  return texts;
}

TEST(RecentLog, KeepsLinesInOrder) {
  recent_log log;
  EXPECT_THAT(log.read(), SizeIs(0));
  const auto when = std::chrono::system_clock::now();
  log.add("first\n", when);
  log.add("");
  log.add("line one\nline two");
  EXPECT_THAT(texts_in(log), ElementsAre("first", "", "line one\nline two"));
  EXPECT_EQ(log.read()[0].time, when);
}

TEST(RecentLog, KeepsTheLast) {
  recent_log log;
  for (std::size_t i = 0; i < recent_log::most_lines + 50; ++i)
    log.add("line " + std::to_string(i));
  const auto lines = texts_in(log);
  ASSERT_THAT(lines, SizeIs(recent_log::most_lines));
  EXPECT_EQ(lines.front(), "line 50");
  EXPECT_EQ(lines.back(), "line " + std::to_string(recent_log::most_lines + 49));
}

TEST(RecentLog, MasksSecrets) {
  recent_log log;
  log.add("login user=ada password=hunter2 ok");
  log.add("db is postgres://u:hunter2@db/orders");
  log.add(R"({"event":"login","api_key":"hunter2","n":1})");
  log.add("Authorization: Bearer hunter2 and more");
  EXPECT_THAT(texts_in(log),
              ElementsAre("login user=ada password=*** ok", "db is postgres://u:***@db/orders",
                          R"({"event":"login","api_key":"***","n":1})", "Authorization: ***"));
}

// A secret that is cut in two may not look like one any more.
TEST(RecentLog, CutsLongLinesBetweenWords) {
  recent_log log;
  const std::string url = " postgres://user:hunter2@db/orders";
  log.add(std::string(recent_log::longest_line - url.size() + 12, 'x') + url);
  const auto lines = texts_in(log);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_THAT(lines[0], testing::EndsWith("x ..."));
  log.add(std::string(2 * recent_log::longest_line, 'x'));
  EXPECT_EQ(texts_in(log).back(), "...");
}

TEST(RecentLog, HasWholeLinesOnlyWhileManyThreadsWrite) {
  recent_log log;
  std::atomic<bool> ends{false};
  std::vector<std::jthread> writers;
  for (const char letter : {'a', 'b', 'c'})
    writers.emplace_back([&log, &ends, letter] {
      for (std::size_t size = 1; !ends; size = size % 900 + 1)
        log.add(std::string(size, letter));
    });
  std::size_t seen = 0;
  for (int i = 0; i < 50 || seen == 0; ++i)
    for (const std::string& each : texts_in(log)) {
      ++seen;
      ASSERT_EQ(each.find_first_not_of(each.front()), std::string::npos) << each;
    }
  ends = true;
}

TEST(ReporterLog, IsInReports) {
  settings set;
  set.signal = no_signal;
  reporter reporter{{.name = "logs"}, set};
  EXPECT_THAT(reporter.make().log, SizeIs(0));
  reporter.log_line("token: hunter2");
  const report made = reporter.make();
  ASSERT_THAT(made.log, SizeIs(1));
  EXPECT_EQ(made.log[0].text, "token: ***");
  ASSERT_TRUE(made.changes);
  EXPECT_EQ(made.changes->since_report, 1U);
  EXPECT_GT(made.changes->elapsed_seconds, 0);
  EXPECT_FALSE(made.control_group.is_null());
}

}  // namespace
}  // namespace gmr
