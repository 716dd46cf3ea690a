// What the stacks of blocked threads begin with.
#include <gmock/gmock.h>

#include <deque>
#include <string>
#include <vector>

#include "analyse/entry_frames.hpp"

namespace gmr::analyse {
namespace {

using ::testing::ElementsAre;

const std::string c_library = "/usr/lib/x86_64-linux-gnu/libc.so.6";

struct entry {
  std::string function;
  std::string module = c_library;
  bool internal = true;
};

entry own(const std::string& function) {
  return {function, "/srv/orders", false};
}

std::vector<std::string> begun_with_call(const std::vector<entry>& entries) {
  std::deque<frame> frames;
  stack blocked;
  for (const entry& each : entries) {
    frame& made = frames.emplace_back();
    made.function = each.function;
    made.module = each.module;
    made.internal = each.internal;
    blocked.frames.push_back(&made);
  }
  begin_with_call(blocked);
  std::vector<std::string> left;
  for (const frame* each : blocked.frames)
    left.push_back(each->function);
  return left;
}

TEST(EntryFrames, OfCancellableCallsAreLeftOut) {
  EXPECT_THAT(begun_with_call({{"__syscall_cancel_arch"},
                               {"__internal_syscall_cancel"},
                               {"__syscall_cancel"},
                               {"epoll_wait"},
                               own("main")}),
              ElementsAre("epoll_wait", "main"));
  EXPECT_THAT(begun_with_call({{"__internal_syscall_cancel"}, {"__syscall_cancel"}, {"read"}}),
              ElementsAre("read"));
}

TEST(EntryFrames, WithoutNamesAreLeftOut) {
  EXPECT_THAT(begun_with_call({{""}, {""}, {""}, {"epoll_wait"}, own("main")}),
              ElementsAre("epoll_wait", "main"));
  EXPECT_THAT(begun_with_call({{""}, {"__syscall_cancel"}, {"pthread_cond_wait"}}),
              ElementsAre("pthread_cond_wait"));
  EXPECT_THAT(begun_with_call({{""}, {""}, {"std::thread::join", "/usr/lib/libstdc++.so.6"}}),
              ElementsAre("std::thread::join"));
}

TEST(EntryFrames, OfAStaticallyLinkedProgramAreLeftOut) {
  const std::string program = "/srv/orders";
  EXPECT_THAT(begun_with_call({{"__syscall_cancel_arch", program},
                               {"__internal_syscall_cancel", program},
                               {"read", program}}),
              ElementsAre("read"));
}

TEST(EntryFrames, StayWhereTheProgramsOwnCodeFollows) {
  EXPECT_THAT(begun_with_call({{""}, own("main")}), ElementsAre("", "main"));
  EXPECT_THAT(begun_with_call({own(""), {"read"}}), ElementsAre("", "read"));
  EXPECT_THAT(begun_with_call({{""}, {""}}), ElementsAre("", ""));
  EXPECT_THAT(begun_with_call({{"__syscall_cancel_arch"}}), ElementsAre("__syscall_cancel_arch"));
  EXPECT_THAT(begun_with_call({}), ElementsAre());
}

TEST(EntryFrames, AreTheInnermostOnly) {
  EXPECT_THAT(begun_with_call({{"read"}, {""}, {"__syscall_cancel"}, own("main")}),
              ElementsAre("read", "", "__syscall_cancel", "main"));
}

}  // namespace
}  // namespace gmr::analyse
