// What is said of event loops: the Runtime section, and the finding of one that has stalled.
#include "analyse/stalls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <variant>

namespace gmr::analyse {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t stall_second = 1'000'000'000;

class Stalls : public ::testing::Test {
 protected:
  Stalls() {
    seen_.at = 100 * stall_second;
    add(812, "io-1", "orders::put", "cache.cpp", 57);
    add(813, "db", "orders::flush", "db.cpp", 9);
    add(814, "io-2", "orders::get", "cache.cpp", 90);
  }

  void add(pid_t id, const char* name, const char* function, const char* file, std::uint32_t line) {
    frame& place = frames_.emplace_back();
    place.function = function;
    place.file = file;
    place.line = line;
    thread_info& thread = report_.threads.emplace_back();
    thread.id = id;
    thread.name = name;
    thread.state = 'S';
    thread.stack.frames = {&place};
  }

  trace::event_loop_state& add_loop(std::vector<pid_t> threads) {
    trace::event_loop_state& loop = seen_.loops.emplace_back();
    loop.name = "orders";
    loop.threads = std::move(threads);
    loop.context = &report_;
    loop.is_measured = true;
    return loop;
  }

  [[nodiscard]] finding only_finding() const {
    const std::vector<finding> found = find_stalls(seen_, report_);
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? finding{} : found.front();
  }

  [[nodiscard]] std::vector<value> first_row(std::span<const event_loop_info> counted = {}) const {
    const value section = runtime_section(seen_, std::chrono::seconds{2}, counted);
    const auto& entries = std::get<key_values>(section.get()).entries;
    return std::get<table>(entries.at(1).second.get()).rows.at(0);
  }

  report report_;
  loops_seen seen_;
  std::deque<frame> frames_;
};

TEST_F(Stalls, NamesTheThreadThatBlocksAndWhoHoldsWhatItWaitsFor) {
  add_loop({812}).stalled = 98 * stall_second;
  report_.threads[0].runs = 17;
  report_.threads[0].waits_for =
      wait_info{.kind = wait_kind::mutex, .address = 0x7f00, .owner = 813};
  report_.threads[1].waits_for = wait_info{.kind = wait_kind::sync};
  const finding found = only_finding();
  EXPECT_EQ(found.text,
            "event loop orders has run nothing for 2.0 s: thread 812 (io-1), which runs green "
            "thread 17, is in orders::put at cache.cpp:57, and waits for mutex 0x7f00 held by "
            "thread 813 (db) in orders::flush at db.cpp:9, which waits for sync");
  EXPECT_THAT(found.threads, ::testing::ElementsAre(812, 813));
  EXPECT_THAT(found.green_threads, ::testing::ElementsAre(17));
  EXPECT_EQ(found.stacks, 2U);
}

TEST_F(Stalls, NamesAllThreadsOfALoop) {
  trace::event_loop_state& loop = add_loop({814, 812});
  loop.name.clear();
  loop.stalled = 90 * stall_second;
  report_.threads[2].state = 'R';
  EXPECT_EQ(only_finding().text,
            "event loop of thread 814 (io-2) has run nothing for 10.0 s: thread 814 (io-2) is in "
            "orders::get at cache.cpp:90, running; thread 812 (io-1) is in orders::put at "
            "cache.cpp:57");
}

TEST_F(Stalls, OfALoopThatGoesOnNothingIsConcluded) {
  add_loop({812}).delay = 5 * stall_second;
  EXPECT_TRUE(find_stalls(seen_, report_).empty());
}

TEST_F(Stalls, TheOneThatStandsLongestComesFirst) {
  add_loop({812}).stalled = 98 * stall_second;
  add_loop({814}).stalled = 97 * stall_second;
  EXPECT_EQ(find_stalls(seen_, report_).at(0).threads.at(0), 814);
}

TEST_F(Stalls, TheSectionHasQueueAndDelays) {
  trace::event_loop_state& loop = add_loop({812, 814});
  loop.queued = 3;
  loop.delay = stall_second / 2;
  loop.worst = 4 * stall_second;
  const std::vector<value> row = first_row();
  EXPECT_EQ(std::get<std::string>(row.at(0).get()), "orders");
  EXPECT_EQ(std::get<std::string>(row.at(2).get()), "812 814");
  EXPECT_EQ(std::get<std::uint64_t>(row.at(3).get()), 3U);
  EXPECT_EQ(std::get<double>(row.at(4).get()), 0.5);
  EXPECT_EQ(std::get<double>(row.at(5).get()), 4.0);
  EXPECT_TRUE(row.at(6).is_null());
  const event_loop_info counted{reinterpret_cast<std::uintptr_t>(&report_), 40, 2, {}, {}};
  EXPECT_EQ(std::get<std::uint64_t>(first_row({&counted, 1}).at(3).get()), 40U)
      << "gmr::trace_ops knows better";
}

TEST_F(Stalls, WhatIsNotMeasuredIsNull) {
  add_loop({812}).is_measured = false;
  const std::vector<value> row = first_row();
  for (const std::size_t column : {3, 4, 5, 6})
    EXPECT_TRUE(row.at(column).is_null()) << column;
}

}  // namespace
}  // namespace gmr::analyse
