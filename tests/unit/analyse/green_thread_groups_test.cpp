// Green threads that are alike are one group; the suspicious groups come first.
#include <gmock/gmock.h>
#include <time.h>

#include "analyse/green_thread_groups.hpp"
#include "analyse/green_threads.hpp"
#include "analyse/stack_interner.hpp"
#include "os/modules.hpp"

namespace gmr::analyse {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t second = 1'000'000'000;

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * second +
         static_cast<std::uint64_t>(time.tv_nsec);
}

green_thread_view coroutine(std::uint64_t id, std::span<const logical_frame> frames) {
  green_thread_view view;
  view.id = id;
  view.kind = green_thread_kind::coroutine;
  view.frames = frames;
  return view;
}

const logical_frame reader[] = {{"read", "a.cpp", 1}, {"serve", "a.cpp", 20}};
const logical_frame writer[] = {{"write", "a.cpp", 3}, {"serve", "a.cpp", 20}};

class Collector : public ::testing::Test {
 protected:
  unwind::unwinder unwinder{os::read_modules()};
  symbolize::symbolizer symbolizer{os::read_modules()};
  socket_list sockets;
  green_thread_collector groups{unwinder, sockets, report_list::groups};
};

TEST_F(Collector, EqualStacksAreOneGroup) {
  for (std::uint64_t id = 1; id <= 100; ++id)
    groups.take(coroutine(id, id % 4 == 0 ? std::span{writer} : std::span{reader}));
  const auto info = groups.finish(symbolizer);
  EXPECT_EQ(info.count, 100U);
  ASSERT_EQ(info.stacks.size(), 2U);
  ASSERT_EQ(info.groups.size(), 2U);
  EXPECT_EQ(info.groups[0].count, 25U);  // the fewer first
  EXPECT_EQ(info.groups[1].count, 75U);
  EXPECT_EQ(info.groups[1].ids.size(), ids_shown);
  EXPECT_EQ(info.groups[1].ids.front(), 1U);
  const stack& writing = info.stacks[info.groups[0].stack];
  ASSERT_EQ(writing.frames.size(), 2U);
  EXPECT_EQ(writing.frames[0]->line, 3U);
  EXPECT_EQ(writing.frames[0]->file, "a.cpp");
  EXPECT_TRUE(info.listed.empty());
}

TEST_F(Collector, WhatTheDeadlineLeavesUnnamedSaysSoAndIsCounted) {
  for (std::uint64_t id = 1; id <= 10; ++id)
    groups.take(coroutine(id, id % 2 == 0 ? std::span{writer} : std::span{reader}));
  const auto info = groups.finish(symbolizer, std::chrono::steady_clock::now());
  EXPECT_EQ(info.count, 10U);
  std::uint64_t grouped = 0;
  for (const green_thread_group& each : info.groups) {
    grouped += each.count;
    const stack& unnamed = info.stacks[each.stack];
    EXPECT_TRUE(unnamed.frames.empty());
    EXPECT_EQ(unnamed.note, "not resolved: the time for the report was over");
  }
  EXPECT_EQ(grouped, 10U);
}

TEST_F(Collector, TheOldestIsShownWhereverItIsListed) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    auto view = coroutine(id, reader);
    view.suspended_at = id == 77 ? 1'000 : 1'000'000 + id;
    groups.take(view);
  }
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  EXPECT_EQ(info.groups[0].oldest_id, 77U);
  EXPECT_EQ(info.groups[0].ids.size(), ids_shown);
  EXPECT_THAT(info.groups[0].ids, ::testing::Contains(77));
}

TEST_F(Collector, WhereTheyWereSpawnedIsShownUnlessTheStackSaysIt) {
  auto view = coroutine(1, reader);
  view.spawned = {"accept_loop", "main.cpp", 5};
  groups.take(view);
  view.id = 2;
  view.spawned = reader[1];
  groups.take(view);
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  EXPECT_THAT(info.groups[0].spawned, ElementsAre("accept_loop at main.cpp:5"));
}

TEST_F(Collector, TheSameTextAtAnotherAddressIsTheSameStack) {
  const std::string function = "read";
  const std::string file = "a.cpp";
  const logical_frame copy[] = {{function.c_str(), file.c_str(), 1}, reader[1]};
  groups.take(coroutine(1, reader));
  groups.take(coroutine(2, copy));
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  EXPECT_EQ(info.groups[0].count, 2U);
  EXPECT_THAT(info.groups[0].ids, ElementsAre(1, 2));
}

TEST_F(Collector, StateAndWaitTellGroupsApart) {
  auto view = coroutine(1, reader);
  groups.take(view);
  view.id = 2;
  view.state = green_thread_state::ready;
  groups.take(view);
  view.id = 3;
  view.waits_for = "timer";
  groups.take(view);
  view.id = 4;
  groups.take(view);
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 3U);
  EXPECT_EQ(info.stacks.size(), 1U);
  const auto timer = std::find_if(info.groups.begin(), info.groups.end(),
                                  [](const auto& group) { return group.waits_for.has_value(); });
  ASSERT_NE(timer, info.groups.end());
  EXPECT_EQ(timer->waits_for->word(), "timer");
  EXPECT_EQ(timer->count, 2U);
}

TEST_F(Collector, KnowsTheOldestAndTheNewest) {
  const std::uint64_t start = now();
  for (const std::uint64_t age : {5U, 60U, 1U}) {
    auto view = coroutine(age, reader);
    view.suspended_at = start - age * second;
    groups.take(view);
  }
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  EXPECT_GE(*info.groups[0].oldest_seconds, 60);
  EXPECT_GE(*info.groups[0].newest_seconds, 1);
  EXPECT_LT(*info.groups[0].newest_seconds, 5);
}

TEST_F(Collector, TheOldAndFewComeFirst) {
  const std::uint64_t start = now();
  const logical_frame old[] = {{"old", "b.cpp", 1}};
  const logical_frame young[] = {{"young", "b.cpp", 2}};
  const logical_frame many[] = {{"many", "b.cpp", 3}};
  for (std::uint64_t id = 1; id <= 50; ++id) {
    auto view = coroutine(id, many);
    view.suspended_at = start - 100 * second;
    groups.take(view);
  }
  auto view = coroutine(100, young);
  view.suspended_at = start - second;
  groups.take(view);
  view = coroutine(101, old);
  view.suspended_at = start - 100 * second;
  groups.take(view);
  const auto info = groups.finish(symbolizer);
  std::vector<std::string> order;
  for (const auto& group : info.groups)
    order.push_back(info.stacks[group.stack].frames[0]->function_full);
  EXPECT_THAT(order, ElementsAre("old", "many", "young"));
}

TEST_F(Collector, NamesAreShownOnce) {
  for (const char* name : {"a", "b", "a", ""}) {
    auto view = coroutine(next_green_thread_id(), reader);
    view.name = name;
    groups.take(view);
  }
  EXPECT_THAT(groups.finish(symbolizer).groups[0].names, ElementsAre("a", "b"));
}

TEST_F(Collector, WhoAwaitsIsKeptForEachThatIsShown) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    auto view = coroutine(id, reader);
    view.suspended_at = id == 77 ? 1'000 : 1'000'000 + id;
    if (id == 12 || id == 77 || id == 99) view.parent = 6;
    groups.take(view);
  }
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  EXPECT_THAT(info.groups[0].parents, ElementsAre(6));
  EXPECT_EQ(info.groups[0].with_parent, 3U);
  EXPECT_THAT(info.groups[0].parent_of,
              ElementsAre(green_thread_parent{12, 6}, green_thread_parent{77, 6}));
}

TEST_F(Collector, SecretsInUrlsAreMaskedInNamesAndLabels) {
  green_thread_collector each{unwinder, sockets, report_list::each};
  const std::pair<std::string_view, std::string_view> label{"request", "GET /a?token=hunter2"};
  auto view = coroutine(1, reader);
  view.name = "ws://u:hunter2@h/";
  view.labels = {&label, 1};
  each.take(view);
  const auto info = each.finish(symbolizer);
  EXPECT_THAT(info.groups[0].names, ElementsAre("ws://u:***@h/"));
  EXPECT_THAT(info.groups[0].labels.at("request"), ElementsAre("GET /a?token=***"));
  EXPECT_EQ(info.listed[0].name, "ws://u:***@h/");
  EXPECT_EQ(info.listed[0].labels[0].second, "GET /a?token=***");
}

TEST_F(Collector, OnRequestEachIsListed) {
  green_thread_collector each{unwinder, sockets, report_list::each};
  const std::pair<std::string_view, std::string_view> label{"user", "7"};
  auto view = coroutine(1, reader);
  view.labels = {&label, 1};
  view.name = "one";
  view.suspended_at = now() - 2 * second;
  view.waits_for = "read";
  each.take(view);
  each.take(coroutine(2, writer));
  each.take(coroutine(3, reader));
  const auto info = each.finish(symbolizer);
  ASSERT_EQ(info.listed.size(), 3U);
  EXPECT_EQ(info.listed[0].stack, info.listed[2].stack);
  EXPECT_NE(info.listed[0].stack, info.listed[1].stack);
  EXPECT_EQ(info.listed[0].name, "one");
  EXPECT_GE(*info.listed[0].seconds, 2);
  EXPECT_EQ(info.listed[0].waits_for->word(), "read");
  EXPECT_THAT(info.listed[0].labels, ElementsAre(std::pair{"user", "7"}));
  EXPECT_FALSE(info.listed[1].seconds);
}

TEST_F(Collector, ARunningOneHasNoStackButAReason) {
  auto view = coroutine(1, {});
  view.state = green_thread_state::running;
  groups.take(view);
  const auto info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 1U);
  const stack& none = info.stacks[info.groups[0].stack];
  EXPECT_TRUE(none.frames.empty());
  EXPECT_EQ(none.note, "running");
}

TEST(StackInterner, KeepsManyApart) {
  stack_interner interner;
  constexpr std::uint32_t count = 10'000;
  for (int round = 0; round < 2; ++round)
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t words[] = {i, i / 2, 7};
      EXPECT_EQ(interner.intern(words), i);
    }
  EXPECT_EQ(interner.size(), count);
  EXPECT_THAT(interner.at(9), ElementsAre(9, 4, 7));
  EXPECT_EQ(interner.intern({}), count);
}

}  // namespace
}  // namespace gmr::analyse
