// Event loops that stall, marks that are passed, and what becomes of loops that come and go.
// tests/faults/stall.py has the ways to stall.
#include "reporter/stall_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "reporter/marks.hpp"
#include "support.hpp"

namespace gmr {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Mark, IsToldOnceUntilItFellBelowNineTenths) {
  mark hundred{100};
  EXPECT_FALSE(hundred.passes(100));
  EXPECT_TRUE(hundred.passes(101));
  EXPECT_FALSE(hundred.passes(150));
  EXPECT_FALSE(hundred.passes(90));
  EXPECT_FALSE(hundred.passes(120)) << "it has not fallen far enough";
  EXPECT_FALSE(hundred.passes(89));
  EXPECT_TRUE(hundred.passes(101));
}

TEST(Marks, AreToldOnceAndLookedAtOnceASecond) {
  settings set;
  set.memory_mark = 1;
  set.descriptors_mark = 1;
  std::vector<std::string> told;
  marks both{set, [&](std::string what) { told.push_back(std::move(what)); }};
  const auto now = duty::clock::now();
  const auto next = both.attend(now);
  ASSERT_TRUE(next);
  EXPECT_GE(*next - now, 1s);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_THAT(told[0], testing::StartsWith("resident memory "));
  EXPECT_THAT(told[1], HasSubstr(" open descriptors, descriptors_mark = 1"));
  EXPECT_EQ(both.attend(now), next) << "it does not look again so soon";
  static_cast<void>(both.attend(*next));
  EXPECT_EQ(told.size(), 2U) << "they are passed already";
}

class EventLoops : public testing::Test {
 protected:
  settings watching(std::chrono::milliseconds longest) {
    settings set = directory_.set();
    set.stall = longest;
    return set;
  }
  // The first report that says so.
  [[nodiscard]] bool is_reported(const std::string& what) const {
    return test::eventually([&] {
      for (const std::string& report : directory_.reports())
        if (test::is_whole(report) && report.find(what) != report.npos) return true;
      return false;
    });
  }
  test::report_directory directory_;
};

TEST_F(EventLoops, AStallIsReportedAndCounted) {
  reporter reports{{.name = "orders"}, watching(200ms)};
  asio::io_context io;
  const auto watched = reports.watch(io.get_executor(), "orders");
  std::latch seen{1};
  asio::post(io, [&] { seen.wait(); });
  std::thread thread{[&] { io.run(); }};
  EXPECT_TRUE(is_reported("Cause:   stall: event loop orders has run nothing for "));
  EXPECT_TRUE(is_reported("* stall: event loop orders has run nothing for "));
  seen.count_down();
  thread.join();
  EXPECT_TRUE(
      test::eventually([&] { return reports.counters().of(report_cause::stall).made == 1; }));
}

TEST_F(EventLoops, AStallIsOverWhenTheLoopGoesOnThoughNobodyWatches) {
  asio::io_context io;
  std::latch seen{1};
  std::optional<reporter> reports{std::in_place, package{.name = "orders"}, watching(200ms)};
  const auto watched = reports->watch(io.get_executor(), "orders");
  asio::post(io, [&] { seen.wait(); });
  std::thread thread{[&] { io.run(); }};
  EXPECT_TRUE(is_reported("* stall: event loop orders has run nothing for "));
  const pid_t child = ::fork();
  if (child == 0) {
    bool is_stalled = false;
    for (std::size_t at = 0; at < trace::most_event_loops; ++at)
      is_stalled |= trace::event_loop_at(at).stalled.load() != 0;
    ::_exit(is_stalled ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "the child has not the threads that stall";
  reports.reset();
  seen.count_down();
  thread.join();
  reports.emplace(package{.name = "orders"}, watching(60s));
  const std::string text = to_text(reports->make());
  EXPECT_THAT(text, HasSubstr("orders"));
  EXPECT_THAT(text, testing::Not(HasSubstr("* stall:")));
}

TEST_F(EventLoops, AreWatchedUntilTheLastRegistrationGoes) {
  reporter reports{{.name = "service"}, directory_.set()};
  asio::io_context io;
  auto watched = reports.watch(io.get_executor(), "orders");
  watched = reports.watch(io.get_executor(), "parcels");
  EXPECT_THAT(to_text(reports.make()), HasSubstr("parcels"));
  watched = {};
  EXPECT_THAT(to_text(reports.make()), testing::Not(HasSubstr("parcels")));
}

TEST_F(EventLoops, AWatchedLoopEndsWhenItHasNothingToDo) {
  reporter reports{{.name = "orders"}, watching(100ms)};
  asio::io_context io;
  const auto watched = reports.watch(io.get_executor(), "orders");
  for (int i = 0; i < 20; ++i) {
    bool has_run = false;
    asio::post(io, [&] { has_run = true; });
    io.run();  // returns
    io.restart();
    EXPECT_TRUE(has_run);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(directory_.reports().empty());
}

TEST_F(EventLoops, ComeAndGoWhileTheyAreWatched) {
  reporter reports{{.name = "orders"}, watching(100ms)};
  std::vector<watch_registration> watched;
  for (int i = 0; i < 300; ++i) {  // more than there are places
    auto io = std::make_unique<asio::io_context>();
    watched.push_back(reports.watch(io->get_executor(), "loop " + std::to_string(i)));
    if (i % 3 == 0) std::this_thread::sleep_for(1ms);
    if (i % 2 == 0) io->poll();
  }
  asio::io_context last;
  const auto named = reports.watch(last.get_executor(), "the last one");
  watched.clear();
  EXPECT_THAT(to_text(reports.make()), HasSubstr("the last one"))
      << "those that are gone do not take the name from it";
}

TEST_F(EventLoops, ARegistrationMayOutliveTheReporter) {
  asio::thread_pool pool{2};
  std::optional<watch_registration> watched;
  {
    reporter reports{{.name = "orders"}, watching(100ms)};
    watched = reports.watch(asio::make_strand(pool.get_executor()), "pool");
    EXPECT_TRUE(test::eventually(
        [&] { return to_json(reports.make()).find(R"("name":"pool")") != std::string::npos; }));
  }
  watched.reset();
  pool.join();
  reporter reports{{.name = "orders"}, watching(100ms)};
  EXPECT_EQ(to_json(reports.make()).find(R"("name":"pool")"), std::string::npos);
}

// Of a context that is no event loop of Asio's.
struct inline_executor {
  asio::execution_context* of;

  asio::execution_context& query(asio::execution::context_t) const noexcept { return *of; }
  static constexpr asio::execution::blocking_t query(asio::execution::blocking_t) noexcept {
    return asio::execution::blocking.never;
  }
  template <class Function>
  void execute(Function&& function) const {
    std::forward<Function>(function)();
  }
  bool operator==(const inline_executor&) const noexcept = default;
};

TEST_F(EventLoops, WhatIsNoLoopIsRefused) {
  reporter reports{{.name = "orders"}, directory_.set()};
  asio::execution_context none;
  EXPECT_THROW(static_cast<void>(reports.watch(inline_executor{&none}, "none")),
               std::invalid_argument);
  EXPECT_ANY_THROW(static_cast<void>(reports.watch({}, "empty")));
}

// A loop without locks belongs to its thread alone.
TEST_F(EventLoops, WithoutLocksAreLeftAlone) {
  reporter reports{{.name = "orders"}, watching(100ms)};
  asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  const auto watched = reports.watch(io.get_executor(), "unsafe");
  asio::post(io, [] { std::this_thread::sleep_for(500ms); });
  EXPECT_EQ(io.run(), 1U) << "no handler of ours";
  EXPECT_TRUE(directory_.reports().empty());
}

TEST_F(EventLoops, WithoutTheOptionNothingIsPosted) {
  reporter reports{{.name = "orders"}, directory_.set()};
  asio::io_context io;
  const auto watched = reports.watch(io.get_executor(), "orders");
  EXPECT_EQ(io.poll(), 0U);
  const std::string text = to_text(reports.make());
  EXPECT_THAT(text, HasSubstr("==== Runtime\n"));
  EXPECT_THAT(text, HasSubstr("orders"));
}

}  // namespace
}  // namespace gmr
