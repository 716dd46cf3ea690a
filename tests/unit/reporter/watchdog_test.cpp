// The raw report, and when it is written.
#include "reporter/watchdog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>

#include "os/bell.hpp"
#include "reporter/raw_report.hpp"
#include "support.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class RawReport : public testing::Test {
 protected:
  std::unique_ptr<raw_report> make(report_format format) {
    settings set = directory_.set();
    set.format = format;
    return std::make_unique<raw_report>(package{.name = "orders", .version = "1.4.2"}, set, -1);
  }
  test::report_directory directory_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Frames are so large there that the copy of the stack ends before the C library's.
constexpr const char* outermost_shown = "reporter_test+0x";
#else
constexpr const char* outermost_shown = "libc.so.6+0x";
#endif

TEST_F(RawReport, HasAllThreadsAsText) {
  make(report_format::text)->write({.cause = "a test", .note = "no luck"});
  const std::string text = directory_.reports().at(0);
  EXPECT_TRUE(test::is_whole(text)) << text;
  for (const char* part : {"Cause:   a test\n", "Note: no luck\n", "name:    orders\n",
                           "writes this report", outermost_shown, "0 green threads"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(RawReport, HasTheCallersOfABlockedThread) {
  std::atomic<pid_t> id{0};
  std::atomic<bool> stop{false};
  std::thread waiting{[&] {
    id = ::gettid();
    while (!stop)
      os::wait_for_bell(os::bell_count(), std::nullopt);
  }};
  ASSERT_TRUE(test::eventually([&] { return id != 0; }));
  const auto raw = make(report_format::json);
  nlohmann::json thread;
  ASSERT_TRUE(test::eventually([&] {  // until it waits
    for (const auto& old : std::filesystem::directory_iterator{directory_.path()})
      std::filesystem::remove(old);
    raw->write({.cause = "a test", .number = 3, .note = "no luck"});
    const auto report = nlohmann::json::parse(directory_.reports().at(0));
    EXPECT_EQ(report["number"], 3);
    for (const auto& each : report["threads"])
      if (each["id"] == id.load()) thread = each;
    return !thread.is_null() && thread["state"] == "sleeping" && thread["capture"] == "ok";
  }));
  stop = true;
  os::ring_bell();
  waiting.join();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  // Callers are found by frame pointers there, which nobody knows without a signal.
  EXPECT_GE(thread["frames"].size(), 2U) << thread;
  EXPECT_FALSE(thread["notes"].empty()) << thread;
#else
  EXPECT_GE(thread["frames"].size(), 4U) << thread;
  EXPECT_TRUE(thread["notes"].empty()) << thread;
#endif
}

class Watchdog : public RawReport {
 protected:
  void start(std::chrono::milliseconds patience) {
    watchdog_ = std::make_unique<watchdog>(make(report_format::text), progress_, statistics_,
                                           "a signal", patience);
    watchdog_->start(-1);
  }
  void ask(const char* cause = "asked") {
    progress_.request_made(cause);
    os::ring_bell();
  }
  reporting_progress progress_;
  report_statistics statistics_;
  std::unique_ptr<watchdog> watchdog_;
};

TEST_F(Watchdog, WritesOnceForEachRequestThatIsNotAnswered) {
  start(20ms);
  ask("the first");
  ASSERT_TRUE(directory_.wait_for(1));
  ASSERT_TRUE(test::eventually([&] { return test::is_whole(directory_.reports().front()); }));
  EXPECT_THAT(directory_.reports().front(), HasSubstr("Cause:   the first\n"));
  // A file has its time in seconds in its name, and none is ever written over.
  std::this_thread::sleep_for(1100ms);
  EXPECT_EQ(directory_.reports().size(), 1U);
  ask("the second");
  ASSERT_TRUE(directory_.wait_for(2));
  EXPECT_TRUE(test::eventually([&] { return statistics_.read().raw == 2; }));
}

TEST_F(Watchdog, IsQuietWhileTheReporterComesOn) {
  start(300ms);
  ask();
  for (int i = 0; i < 20; ++i) {  // 1 s
    std::this_thread::sleep_for(50ms);
    progress_.came_on();
  }
  progress_.requests_answered(1);
  progress_.came_on();
  std::this_thread::sleep_for(400ms);
  EXPECT_TRUE(directory_.reports().empty());
}

TEST_F(Watchdog, IsPatientWithWhoReads) {
  start(20ms);
  ask();
  progress_.writing(true);
  os::ring_bell();
  std::this_thread::sleep_for(200ms);
  EXPECT_TRUE(directory_.reports().empty());
}

TEST_F(Watchdog, EndsAtOnceWhereThereIsNothingToDo) {
  start(10s);
  ask();
  const auto begin = std::chrono::steady_clock::now();
  watchdog_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
}

}  // namespace
}  // namespace gmr
