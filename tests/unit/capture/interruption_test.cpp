// Calls that the kernel does not restart go on undisturbed where the stack can be read from
// outside.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>

#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::find;
using testing::holds;
using testing::test_thread;
using testing::with_marker;

constexpr std::uint64_t marker = 0x5ca1ab1e0ddba11;

struct waiting_call {
  const char* name;
  long number;
  std::function<int(int fd)> call;  // returns when `fd` becomes readable
};

class NeverRestarted : public ::testing::TestWithParam<waiting_call> {};

// Read without a signal when that is exact: the call goes on. Signalled when it is not.
TEST_P(NeverRestarted, IsInterruptedOnlyWhenTheStackIsNotExact) {
  for (const bool exact : {true, false}) {
    const int ready = eventfd(0, 0);
    int result = 0;
    int error = 0;
    test_thread waiter{[&] {
                         with_marker(marker, [&] {
                           errno = 0;
                           result = GetParam().call(ready);
                           error = errno;
                         });
                       },
                       [&] { eventfd_write(ready, 1); }};
    waiter.wait_blocked_in(GetParam().number);
    thread_capture_settings settings;
    settings.exact = [&](const stack_snapshot& stack) { return exact && stack.only_pc_and_sp; };
    thread_capturer capturer{settings};
    const auto* found = find(capturer.capture(), waiter.id());
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
    EXPECT_EQ(found->stack.only_pc_and_sp, exact);
#ifndef GMR_WALKING_BACKEND
    EXPECT_TRUE(holds(found->stack, marker));
#endif
    waiter.join();
    if (exact)
      EXPECT_EQ(result, 1) << strerror(error);
    else
      EXPECT_EQ(error, EINTR);
    close(ready);
  }
}

int wait_with_epoll(int fd) {
  const int set = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
  const int result = static_cast<int>(syscall(SYS_epoll_pwait, set, &event, 1, -1, nullptr, 0));
  const int error = errno;
  close(set);
  errno = error;
  return result;
}

int wait_with_ppoll(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return static_cast<int>(syscall(SYS_ppoll, &polled, 1, nullptr, nullptr, 0));
}

int wait_with_pselect(int fd) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(fd, &set);
  return static_cast<int>(syscall(SYS_pselect6, fd + 1, &set, nullptr, nullptr, nullptr, nullptr));
}

INSTANTIATE_TEST_SUITE_P(Calls, NeverRestarted,
                         ::testing::Values(waiting_call{"epoll", SYS_epoll_pwait, wait_with_epoll},
                                           waiting_call{"poll", SYS_ppoll, wait_with_ppoll},
                                           waiting_call{"select", SYS_pselect6, wait_with_pselect}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace gmr::capture
