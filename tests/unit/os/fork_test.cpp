#include "os/fork.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "support/in_child.hpp"

namespace gmr::os {
namespace {

std::string done;

constexpr fork_actions first{
    .before = []() noexcept { done += "b1 "; },
    .in_parent = []() noexcept { done += "p1 "; },
    .in_child = []() noexcept { done += "c1 "; },
};
constexpr fork_actions second{
    .before = []() noexcept { done += "b2 "; },
    .in_child = []() noexcept { done += "c2 "; },
};
constexpr fork_actions late{.in_parent = []() noexcept { done += "late "; }};
constexpr fork_actions registers_another{
    .before = []() noexcept { on_fork(fork_place::operations, late); },
};

// What the child has when it is there; the parent has its own in `done` afterwards.
std::string forked() {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool written =
        ::write(ends[1], done.data(), done.size()) == static_cast<ssize_t>(done.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string seen(256, '\0');
  const ssize_t got = ::read(ends[0], seen.data(), seen.size());
  ::close(ends[0]);
  seen.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  ::waitpid(child, nullptr, 0);
  return seen;
}

TEST(Fork, IsDoneInOneOrder) {
  test::in_child([] {
    EXPECT_TRUE(on_fork(fork_place::trigger_signal, second));
    EXPECT_TRUE(on_fork(fork_place::coroutine_frames, first));
    EXPECT_TRUE(on_fork(fork_place::coroutine_frames, first)) << "again is harmless";
    EXPECT_EQ(forked(), "b2 b1 c1 c2 ");
    EXPECT_EQ(done, "b2 b1 p1 ");
  });
}

TEST(Fork, EndsOnlyWhatItHasBegun) {
  test::in_child([] {
    on_fork(fork_place::coroutine_frames, registers_another);
    static_cast<void>(forked());
    EXPECT_EQ(done, "") << "it was not there before the fork";
    static_cast<void>(forked());
    EXPECT_EQ(done, "late ");
  });
}

}  // namespace
}  // namespace gmr::os
