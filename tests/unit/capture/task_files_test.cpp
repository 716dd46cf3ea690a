// What is read of a thread from /proc, and which calls a signal would interrupt.
#include "os/task_files.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "capture/restart.hpp"
#include "capture/stack_room.hpp"
#include "support/in_child.hpp"
#include "support/refused_call.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::test_thread;
using testing::wait_until;

TEST(TaskFiles, KnowTheCallAndItsArguments) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  char byte = 0;
  test_thread reader{[&] { EXPECT_EQ(read(ends[0], &byte, 1), 1); },
                     [&] { EXPECT_EQ(write(ends[1], "x", 1), 1); }};
  reader.wait_blocked_in(SYS_read);
  const auto blocked = os::task_files{}.blocked_in(reader.id());
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->arguments[0], static_cast<std::uint64_t>(ends[0]));
  EXPECT_EQ(blocked->arguments[1], reinterpret_cast<std::uint64_t>(&byte));
  EXPECT_EQ(blocked->arguments[2], 1U);
  EXPECT_NE(blocked->sp, 0U);
  reader.join();
  close(ends[0]);
  close(ends[1]);
}

TEST(TaskFiles, TheCpuClockStandsStillWhileAThreadSleeps) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  char byte = 0;
  test_thread reader{[&] { EXPECT_EQ(read(ends[0], &byte, 1), 1); },
                     [&] { EXPECT_EQ(write(ends[1], "x", 1), 1); }};
  reader.wait_blocked_in(SYS_read);
  const std::uint64_t before = os::cpu_clock(reader.id());
  EXPECT_GT(before, 0U);
  const std::uint64_t own = os::cpu_clock(gettid());
  wait_until([&] { return os::cpu_clock(gettid()) > own + 100'000; });
  EXPECT_EQ(os::cpu_clock(reader.id()), before);
  reader.join();
  wait_until([&] { return os::cpu_clock(reader.id()) == 0; });  // joined a moment before it is gone
  close(ends[0]);
  close(ends[1]);
}

// A filter may refuse the call that reads directories: each number is tried then.
TEST(TaskFiles, ListTheThreadsWhereTheDirectoryCantBeRead) {
  test::in_child([] {
    const std::size_t alone = os::task_files{}.list().size();  // a sanitizer has threads, too
    std::thread{[] { pause(); }}.detach();
    wait_until([&] { return os::task_files{}.list().size() > alone; });
    const auto before = os::task_files{}.list();
    test::refuse_call(SYS_getdents64, EPERM);
    os::task_files files;
    EXPECT_EQ(files.list(), before);
    EXPECT_EQ(files.list_problem(), "");
  });
}

// Each number would seem to be a thread.
TEST(TaskFiles, WhereNothingMayBeAskedThereAreTheThreadsThatAreKnown) {
  test::in_child([] {
    test::refuse_call(SYS_getdents64, EPERM);
    test::refuse_call(SYS_tgkill, EPERM);
    test::refuse_call(SYS_clock_gettime, EPERM);
    os::task_files files;
    EXPECT_EQ(files.list(), std::vector{getpid()});
    EXPECT_EQ(os::search_threads(0, std::chrono::minutes{1}).ids, std::vector{getpid()});
  });
}

TEST(TaskFiles, AThreadThatMayNotBeAskedForIsKnownByItsClock) {
  test::in_child([] {
    std::atomic<pid_t> id = 0;
    std::atomic<bool> stop = false;
    std::thread other{[&] {
      id = gettid();
      while (!stop)
        std::this_thread::yield();
    }};
    wait_until([&] { return id != 0; });
    test::refuse_call(SYS_tgkill, EPERM);
    EXPECT_TRUE(os::thread_exists(id));
    stop = true;
    other.join();
    wait_until([&] { return !os::thread_exists(id); });
  });
}

TEST(TaskFiles, ListTheThreadsInOrder) {
  std::atomic<bool> stop = false;
  test_thread other{[&] {
                      while (!stop)
                        std::this_thread::yield();
                    },
                    [&] { stop = true; }};
  const auto ids = os::task_files{}.list();
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_TRUE(std::binary_search(ids.begin(), ids.end(), other.id()));
  EXPECT_TRUE(std::binary_search(ids.begin(), ids.end(), getpid()));
}

TEST(TaskFiles, NothingForAThreadThatIsGone) {
  test_thread gone{[] {}};
  const pid_t id = gone.id();
  gone.join();
  os::task_files files;
  wait_until([&] { return !files.status(id); });
  EXPECT_FALSE(files.times(id));
  EXPECT_FALSE(files.blocked_in(id));
}

TEST(Restart, SocketsWithATimeoutAreNotRestarted) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  blocked_syscall call;
  call.number = SYS_recvfrom;
  call.arguments[0] = static_cast<std::uint64_t>(ends[0]);
  EXPECT_FALSE(is_never_restarted(call));
  const timeval timeout{5, 0};
  ASSERT_EQ(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
  EXPECT_TRUE(is_never_restarted(call));
  close(ends[0]);
  close(ends[1]);
}

TEST(Restart, FutexesOnlyWithATimeout) {
  blocked_syscall call;
  call.number = SYS_futex;
  call.arguments[1] = FUTEX_WAIT_PRIVATE;
  EXPECT_FALSE(is_never_restarted(call));
  call.arguments[3] = 0x1000;
  EXPECT_TRUE(is_never_restarted(call));
  call.arguments[1] = FUTEX_WAKE_PRIVATE;
  EXPECT_FALSE(is_never_restarted(call));
}

TEST(StackRoom, TheMainStackIsKnown) {
  const stack_bounds main = main_stack();
  EXPECT_LT(main.low, main.high);
  const char here = 0;
  const auto address = reinterpret_cast<std::uintptr_t>(&here);
  EXPECT_LE(main.low, address);  // gtest runs tests on the main thread
  EXPECT_LT(address, main.high);
}

TEST(StackRoom, ADescriptorLiesAtTheEndOfTheStack) {
  std::uintptr_t local = 0;
  std::uintptr_t descriptor = 0;
  std::thread{[&] {
    const char here = 0;
    local = reinterpret_cast<std::uintptr_t>(&here);
    descriptor = descriptor_of(gettid());
  }}.join();
  EXPECT_GT(descriptor, local);
  EXPECT_LT(descriptor - local, std::uintptr_t{1} << 23);
}

}  // namespace
}  // namespace gmr::capture
