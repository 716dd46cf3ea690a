// What is said of the operations that green threads wait for, and of the loops that run them.
#include "analyse/operations.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>

#include "analyse/green_threads.hpp"
#include "os/modules.hpp"

namespace gmr::analyse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t one_second = 1'000'000'000;
constexpr std::uint64_t report_time = 1000 * one_second;

class SocketOperation : public ::testing::Test {
 protected:
  SocketOperation() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0);
    operation_.kind = "read";
    operation_.descriptor = ends_[0];
    operation_.uses = &uses_;
    operation_.uses_seen = 7;
  }
  ~SocketOperation() override {
    for (const int end : ends_)
      ::close(end);
  }

  std::array<int, 2> ends_{};
  std::atomic<std::uint32_t> uses_{7};
  waiting_operation operation_;
  socket_list sockets_;
};

TEST_F(SocketOperation, HasItsDescriptorAndWhatThatIs) {
  const operation_info info = describe(operation_, 5, report_time, sockets_);
  EXPECT_EQ(info.green_thread, 5U);
  EXPECT_EQ(info.kind, "read");
  EXPECT_EQ(info.fd, ends_[0]);
  EXPECT_EQ(info.peer, "unix");
  EXPECT_FALSE(info.ready);
  const auto wait = wait_of("http read", std::array{info});
  ASSERT_TRUE(wait);
  EXPECT_EQ(wait->word(), "http read");
  EXPECT_EQ(wait->fd, ends_[0]);
  EXPECT_EQ(wait->peer, "unix");
}

TEST_F(SocketOperation, SaysNothingOfADescriptorThatWasClosedMeanwhile) {
  uses_ = 8;
  const operation_info info = describe(operation_, 5, report_time, sockets_);
  EXPECT_FALSE(info.fd);
  EXPECT_EQ(info.peer, "");
  EXPECT_TRUE(info.ready);
}

TEST_F(SocketOperation, OfOneGreenThreadIsPartOfItsWait) {
  unwind::unwinder unwinder{os::read_modules()};
  symbolize::symbolizer symbolizer{os::read_modules()};
  green_thread_collector groups{unwinder, sockets_, report_list::each};
  const logical_frame frames[] = {{"read", "a.cpp", 1}};
  green_thread_view view;
  view.kind = green_thread_kind::coroutine;
  view.frames = frames;
  view.waits_for = "read";
  view.id = 1;
  view.operations = {&operation_, 1};
  groups.take(view);
  view.id = 2;
  view.waits_for = "timer";
  waiting_operation timer;
  timer.kind = "timer";
  timer.expires_at = 1;
  view.operations = {&timer, 1};
  groups.take(view);
  view.id = 3;
  groups.take(view);
  const green_threads_info info = groups.finish(symbolizer);
  ASSERT_EQ(info.groups.size(), 2U);
  EXPECT_EQ(info.groups[0].waits_for->fd, ends_[0]);
  EXPECT_EQ(info.groups[1].count, 2U);
  EXPECT_FALSE(info.groups[1].waits_for->seconds);  // each has its own
  ASSERT_EQ(info.groups[1].operations.size(), 2U);
  EXPECT_EQ(info.groups[1].operations[1].green_thread, 3U);
  EXPECT_LT(info.groups[1].operations[1].seconds, 0);
  ASSERT_EQ(info.listed.size(), 3U);
  EXPECT_EQ(info.listed[0].waits_for->fd, ends_[0]);
  EXPECT_LT(info.listed[1].waits_for->seconds, 0);
}

TEST(TimerOperation, SaysHowLongStill) {
  socket_list sockets;
  waiting_operation operation;
  operation.kind = "timer";
  operation.expires_at = report_time + 3 * one_second;
  EXPECT_DOUBLE_EQ(*describe(operation, 1, report_time, sockets).seconds, 3);
  operation.expires_at = report_time - 2 * one_second;
  EXPECT_DOUBLE_EQ(*describe(operation, 1, report_time, sockets).seconds, -2);
  operation.expires_at = 0;
  EXPECT_FALSE(describe(operation, 1, report_time, sockets).seconds);
}

TEST_F(SocketOperation, ThatNobodyWaitsForAreGroupedByKindAndLoop) {
  const int context = 0;
  const int other = 0;
  const int own = 0;
  const std::vector<event_loop_info> loops{
      {reinterpret_cast<std::uintptr_t>(&context), 0, 3, {}, {11}},
      {reinterpret_cast<std::uintptr_t>(&other), 0, 1, {}, {12}}};
  waiting_operation timer;
  timer.kind = "timer";
  timer.expires_at = report_time + 3 * one_second;
  std::vector<trace::unowned_operation> all{{&other, timer, 0},
                                            {&context, operation_, report_time - one_second},
                                            {&context, operation_, report_time - 4 * one_second},
                                            {&own, operation_, 1}};
  for (int more = 0; more < 30; ++more)
    all.push_back({&context, operation_, report_time - 2 * one_second});
  const auto groups = group_operations(all, loops, report_time, sockets_);
  ASSERT_EQ(groups.size(), 2U) << "not those of a loop that is not shown, as the reporter's";
  EXPECT_EQ(groups[0].kind, "read");
  EXPECT_EQ(groups[0].count, 32U);
  EXPECT_EQ(groups[0].event_loop, loops[0].address);
  EXPECT_THAT(groups[0].threads, ElementsAre(11));
  EXPECT_DOUBLE_EQ(*groups[0].oldest_seconds, 4);
  EXPECT_DOUBLE_EQ(*groups[0].newest_seconds, 1);
  ASSERT_EQ(groups[0].operations.size(), operations_shown);
  EXPECT_EQ(groups[0].operations[0].fd, ends_[0]);
  EXPECT_EQ(groups[0].operations[0].peer, "unix");
  EXPECT_DOUBLE_EQ(*groups[0].operations[0].since_seconds, 4);
  EXPECT_FALSE(groups[0].operations[0].expiry_seconds);
  EXPECT_EQ(groups[1].kind, "timer");
  EXPECT_FALSE(groups[1].oldest_seconds);
  EXPECT_DOUBLE_EQ(*groups[1].operations[0].expiry_seconds, 3);
}

TEST(EventLoops, TheMostDelayedComesFirstAndIsAFinding) {
  const int idle = 0;
  const int late = 0;
  const int unrun = 0;
  const int own = 0;
  const std::vector<trace::context_load> loads{
      {&idle, 0, 5, 0, {11}},
      {&late, 3, 0, report_time - 4 * one_second, {12, 13}},
      {&unrun, 1, 0, report_time - 9 * one_second, {}},
      {&own, 0, 1, 0, {99}},
  };
  const auto loops = describe_event_loops(loads, report_time, 99);
  ASSERT_EQ(loops.size(), 3U);  // not the reporter's own
  EXPECT_DOUBLE_EQ(*loops[0].oldest_seconds, 9);
  EXPECT_DOUBLE_EQ(*loops[1].oldest_seconds, 4);
  EXPECT_EQ(loops[1].queued, 3U);
  EXPECT_FALSE(loops[2].oldest_seconds);
  EXPECT_EQ(loops[2].pending, 5U);
  const auto findings = find_delayed_loops(loops);
  ASSERT_EQ(findings.size(), 1U);  // a loop that nobody runs may not have been begun
  EXPECT_EQ(findings[0].kind, finding_kind::event_loop_delayed);
  EXPECT_THAT(findings[0].threads, ElementsAre(12, 13));
  EXPECT_THAT(findings[0].text,
              ::testing::HasSubstr("3 handlers wait for a turn, the first for 4.0 s"));
}

TEST(EventLoops, AShortDelayIsNoFinding) {
  const int loop = 0;
  const std::vector<trace::context_load> loads{{&loop, 1, 0, report_time - one_second / 2, {11}}};
  EXPECT_THAT(find_delayed_loops(describe_event_loops(loads, report_time, 99)), IsEmpty());
}

}  // namespace
}  // namespace gmr::analyse
