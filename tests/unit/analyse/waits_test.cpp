// What blocked threads are said to wait for.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <condition_variable>
#include <mutex>

#include "analyse/blocked_call.hpp"
#include "analyse/descriptor.hpp"
#include "analyse/futex_wait.hpp"
#include "live_report.hpp"

namespace gmr::analyse {
namespace {

using testing::test_thread;
using testing::wait_for_kind;
using testing::wait_of_thread;

TEST(Wait, ForAMutexNamesItsOwner) {
  std::mutex held;
  held.lock();
  test_thread waiting{[&] { const std::lock_guard wait{held}; }};
  wait_for_kind(waiting.id(), "mutex");
  const auto wait = wait_of_thread(waiting.id());
  EXPECT_EQ(wait->address, reinterpret_cast<std::uint64_t>(&held));
  EXPECT_EQ(wait->owner, gettid());
  EXPECT_EQ(mutex_owner(reinterpret_cast<std::uint64_t>(&held)), gettid());
  held.unlock();
  waiting.join();
  EXPECT_FALSE(mutex_owner(reinterpret_cast<std::uint64_t>(&held)));
}

TEST(Wait, ForAMutexWithATimeoutIsToldApart) {
  std::timed_mutex held;
  held.lock();
  test_thread waiting{[&] { EXPECT_TRUE(held.try_lock_for(std::chrono::seconds{60})); }};
  wait_for_kind(waiting.id(), "timed mutex");
  EXPECT_EQ(wait_of_thread(waiting.id())->owner, gettid());
  held.unlock();
}

TEST(Wait, ForACondition) {
  std::mutex mutex;
  std::condition_variable condition;
  bool go = false;
  test_thread waiting{[&] {
                        std::unique_lock lock{mutex};
                        condition.wait(lock, [&] { return go; });
                      },
                      [&] {
                        const std::lock_guard lock{mutex};
                        go = true;
                        condition.notify_all();
                      }};
  wait_for_kind(waiting.id(), "condition");
  EXPECT_EQ(wait_of_thread(waiting.id())->address, reinterpret_cast<std::uint64_t>(&condition));
}

TEST(Wait, ForASemaphore) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  {
    test_thread waiting{[&] { sem_wait(&semaphore); }, [&] { sem_post(&semaphore); }};
    wait_for_kind(waiting.id(), "semaphore");
    EXPECT_EQ(wait_of_thread(waiting.id())->address, reinterpret_cast<std::uint64_t>(&semaphore));
  }
  sem_destroy(&semaphore);
}

TEST(Wait, ForASemaphoreIsNotForTheConditionThatThePointersBeforeItLookLike) {
  struct {
    const void* pointers[3]{&pointers[2], &pointers[0], nullptr};
    std::uint32_t before[4]{8, 8, 8, 8};
    sem_t semaphore{};
  } local;
  static_assert(offsetof(decltype(local), semaphore) == 40);  // as in a pthread_cond_t
  const auto* const looks_like = reinterpret_cast<const std::uint32_t*>(&local);
  local.pointers[2] = reinterpret_cast<const void*>(0x400000004);  // two groups of two waiters
  ASSERT_EQ(looks_like[4], 4U);
  sem_init(&local.semaphore, 0, 0);
  {
    test_thread waiting{[&] { sem_wait(&local.semaphore); }, [&] { sem_post(&local.semaphore); }};
    wait_for_kind(waiting.id(), "semaphore");
  }
  sem_destroy(&local.semaphore);
}

TEST(Wait, ForTheEndOfAThreadNamesIt) {
  std::mutex gate;
  gate.lock();
  test_thread joined{[&] { const std::lock_guard wait{gate}; }};
  test_thread joining{[&] { joined.join(); }};
  wait_for_kind(joining.id(), "join");
  EXPECT_EQ(wait_of_thread(joining.id())->owner, joined.id());
  gate.unlock();
  joining.join();
}

TEST(Wait, ForSleepSaysHowLong) {
  test_thread sleeping{[] {
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 1;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr);
  }};
  wait_for_kind(sleeping.id(), "sleep");
  const auto until = wait_of_thread(sleeping.id());
  if (until) {  // not over yet
    ASSERT_TRUE(until->seconds);
    EXPECT_LE(*until->seconds, 1);
    EXPECT_GE(*until->seconds, 0);
  }
  test_thread relative{[] { std::this_thread::sleep_for(std::chrono::milliseconds{1500}); }};
  wait_for_kind(relative.id(), "sleep");
  EXPECT_EQ(wait_of_thread(relative.id())->peer, "1.5 s altogether");
}

TEST(Wait, ForADescriptorSaysWhatItIs) {
  const int event = eventfd(0, 0);
  std::uint64_t value = 0;
  test_thread reading{[&] { EXPECT_EQ(read(event, &value, sizeof value), 8); },
                      [&] { eventfd_write(event, 1); }};
  wait_for_kind(reading.id(), "read");
  const auto wait = wait_of_thread(reading.id());
  EXPECT_EQ(wait->fd, event);
  EXPECT_EQ(wait->peer, "eventfd");
  reading.join();
  close(event);
}

struct listener {
  listener() {
    EXPECT_EQ(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(descriptor, 1), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  }
  ~listener() { close(descriptor); }
  [[nodiscard]] int connect_to() const {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return client;
  }
  [[nodiscard]] std::string text() const {
    return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  int descriptor = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
};

TEST(Wait, ForASocketSaysBothAddresses) {
  const listener server;
  int client = -1;
  test_thread accepting{[&] { close(accept(server.descriptor, nullptr, nullptr)); },
                        [&] { client = server.connect_to(); }};
  wait_for_kind(accepting.id(), "accept");
  EXPECT_EQ(wait_of_thread(accepting.id())->peer, "tcp " + server.text() + " listening");
  accepting.join();
  EXPECT_THAT(describe_descriptor(client), ::testing::EndsWith(" - " + server.text()));
  close(client);
}

TEST(Wait, ForEpollNamesTheDescriptor) {
  const int set = epoll_create1(0);
  const int event = eventfd(0, 0);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  ASSERT_EQ(epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted), 0);
  test_thread waiting{[&] {
                        epoll_event got{};
                        EXPECT_EQ(epoll_wait(set, &got, 1, -1), 1);
                      },
                      [&] { eventfd_write(event, 1); }};
  wait_for_kind(waiting.id(), "epoll");
  EXPECT_EQ(wait_of_thread(waiting.id())->fd, set);
  EXPECT_EQ(wait_of_thread(waiting.id())->peer, "eventpoll");
  waiting.join();
  close(event);
  close(set);
}

TEST(Wait, WithArgumentsThatPointNowhereDoesNoHarm) {
  for (const long number : {SYS_futex, SYS_ppoll, SYS_clock_nanosleep, SYS_read, SYS_epoll_pwait}) {
    for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{8}, ~std::uint64_t{0} - 7}) {
      capture::thread_snapshot thread;
      capture::blocked_syscall& call = thread.syscall.emplace();
      call.number = number;
      call.arguments = {bad, 1, bad, bad, bad, bad};
      const auto wait = wait_of(thread);
      ASSERT_TRUE(wait);
      EXPECT_FALSE(wait->owner);
    }
  }
}

TEST(BlockedCall, IsNamedWithItsArguments) {
  capture::blocked_syscall call;
  call.number = SYS_read;
  call.arguments = {11, 0x7ffc12345678, 100, 7, 7, 7};
  EXPECT_EQ(describe_call(call), "read(11, 0x7ffc12345678, 100)");
  call.number = SYS_ppoll;
  call.arguments = {0, 0xffffffff, ~std::uint64_t{0}, 0x100000, 0, 7};
  EXPECT_EQ(describe_call(call), "ppoll(0, -1, -1, 0x100000, 0)");
  call.number = SYS_futex;
  EXPECT_EQ(describe_call(call), "futex(0, -1, -1, 0x100000, 0, 7)");
  call.number = 99'999;
  EXPECT_THAT(describe_call(call), ::testing::StartsWith("system call 99999("));
}

TEST(BlockedCall, IsToldOnlyWhereTheStackIsNot) {
  using enum capture_outcome;
  capture::thread_snapshot thread;
  thread.syscall.emplace().number = SYS_fsync;
  thread.syscall->arguments[0] = 3;
  thread.wait_channel = "jbd2_log_wait_commit";
  for (const capture_outcome each : {ok, truncated, exited}) {
    thread.outcome = each;
    EXPECT_EQ(place_in_kernel(thread), "");
  }
  for (const capture_outcome each : {signal_blocked, timeout, unreadable, not_signalled}) {
    thread.outcome = each;
    EXPECT_EQ(place_in_kernel(thread), "in fsync(3); wait channel jbd2_log_wait_commit");
  }
  thread.syscall->number = -1;  // a page fault
  EXPECT_EQ(place_in_kernel(thread), "wait channel jbd2_log_wait_commit");
}

TEST(Wait, NothingForAThreadThatRuns) {
  EXPECT_FALSE(wait_of({}));
  capture::thread_snapshot faulting;
  faulting.syscall.emplace();
  EXPECT_FALSE(wait_of(faulting));
}

}  // namespace
}  // namespace gmr::analyse
