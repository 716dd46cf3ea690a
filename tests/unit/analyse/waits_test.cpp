// What blocked threads are said to wait for.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <utility>
#include <vector>

#include "analyse/blocked_call.hpp"
#include "analyse/descriptor.hpp"
#include "analyse/threads.hpp"
#include "live_report.hpp"
#include "os/task_stat.hpp"
#include "support/in_child.hpp"

namespace gmr::analyse {
namespace {

using testing::test_thread;
using testing::wait_for_kind;
using testing::wait_of_thread;

TEST(Wait, ForSleepSaysHowLong) {
  test_thread sleeping{[] {
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 1;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr);
  }};
  wait_for_kind(sleeping.id(), wait_kind::sleep);
  const auto until = wait_of_thread(sleeping.id());
  if (until) {  // not over yet
    ASSERT_TRUE(until->seconds);
    EXPECT_LE(*until->seconds, 1);
    EXPECT_GE(*until->seconds, 0);
  }
  test_thread relative{[] { std::this_thread::sleep_for(std::chrono::milliseconds{1500}); }};
  wait_for_kind(relative.id(), wait_kind::sleep);
  EXPECT_EQ(wait_of_thread(relative.id())->peer, "1.5 s altogether");
}

// Stops this process and lets it go on, as job control and debuggers do.
void stop_and_continue() {
  const pid_t stopped = getpid();
  const pid_t child = fork();
  if (child == 0) {
    kill(stopped, SIGSTOP);
    for (;;) {
      const auto stat = os::read_process_stat(stopped);
      if (!stat || stat->state == 'T') break;
    }
    kill(stopped, SIGCONT);
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
}

// Waits with a time limit go on as restart_syscall then.
TEST(Wait, WithATimeLimitIsTheSameAfterAStop) {
  test::in_child([] {
    std::timed_mutex taken;
    taken.lock();
    std::mutex mutex;
    std::condition_variable condition;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    constexpr std::chrono::minutes long_time{5};
    const test_thread sleeping{[&] { std::this_thread::sleep_for(long_time); }};
    const test_thread polling{[&] {
      pollfd polled{ends[0], POLLIN, 0};
      poll(&polled, 1, 300'000);
    }};
    const test_thread locking{[&] { (void)taken.try_lock_for(long_time); }};
    const test_thread waiting{[&] {
      std::unique_lock lock{mutex};
      condition.wait_for(lock, long_time);
    }};
    const auto are_waiting = [&] {
      wait_for_kind(sleeping.id(), wait_kind::sleep);
      wait_for_kind(polling.id(), wait_kind::poll);
      wait_for_kind(locking.id(), wait_kind::timed_mutex);
      wait_for_kind(waiting.id(), wait_kind::condition);
    };
    are_waiting();
    stop_and_continue();
    are_waiting();
    EXPECT_EQ(wait_of_thread(polling.id())->fd, ends[0]);
    EXPECT_EQ(wait_of_thread(locking.id())->owner, gettid());
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);  // the threads go on waiting
  });
}

TEST(Wait, ForADescriptorSaysWhatItIs) {
  const int event = eventfd(0, 0);
  std::uint64_t value = 0;
  test_thread reading{[&] { EXPECT_EQ(read(event, &value, sizeof value), 8); },
                      [&] { eventfd_write(event, 1); }};
  wait_for_kind(reading.id(), wait_kind::read);
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
  wait_for_kind(accepting.id(), wait_kind::accept);
  EXPECT_EQ(wait_of_thread(accepting.id())->peer, "tcp " + server.text() + " listening");
  accepting.join();
  socket_list sockets;
  EXPECT_THAT(describe_descriptor(client, sockets), ::testing::EndsWith(" - " + server.text()));
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
  wait_for_kind(waiting.id(), wait_kind::epoll);
  EXPECT_EQ(wait_of_thread(waiting.id())->fd, set);
  EXPECT_EQ(wait_of_thread(waiting.id())->peer, "eventpoll");
  waiting.join();
  close(event);
  close(set);
}

TEST(Wait, WithArgumentsThatPointNowhereDoesNoHarm) {
  socket_list sockets;
  for (const long number : {SYS_futex, SYS_ppoll, SYS_clock_nanosleep, SYS_read, SYS_epoll_pwait}) {
    for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{8}, ~std::uint64_t{0} - 7}) {
      capture::thread_snapshot thread;
      capture::blocked_syscall& call = thread.syscall.emplace();
      call.number = number;
      call.arguments = {bad, 1, bad, bad, bad, bad};
      const auto wait = wait_of(thread, sockets);
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
  socket_list sockets;
  EXPECT_FALSE(wait_of({}, sockets));
  capture::thread_snapshot faulting;
  faulting.syscall.emplace();
  EXPECT_FALSE(wait_of(faulting, sockets));
}

frame frame_of_library(std::string function) {
  frame out;
  out.function_full = std::move(function);
  out.internal = true;
  return out;
}

frame frame_of_program() {
  frame out;
  out.function = "orders::run";
  out.function_full = "orders::run()";
  return out;
}

// Boost 1.92: the word behind Asio's mutex may look like anything, an owner included.
thread_info waiting_in(std::vector<frame>& frames) {
  thread_info thread;
  wait_info& wait = thread.waits_for.emplace();
  wait.kind = wait_kind::mutex;
  wait.address = 0x1000;
  wait.owner = ::getpid();
  for (const frame& each : frames)
    thread.stack.frames.push_back(&each);
  return thread;
}

TEST(Wait, ForAMutexOfAsioHasNoOwner) {
  for (const char* const lock : {"boost::asio::detail::futex_slim_mutex::lock()",
                                 "boost::asio::detail::futex_slim_mutex::futex_wait(int)",
                                 "boost::asio::detail::atomic_slim_mutex::lock()"}) {
    std::vector<frame> frames{
        frame_of_library("syscall"), frame_of_library(lock),
        frame_of_library("boost::asio::detail::epoll_reactor::deregister_descriptor(int)"),
        frame_of_program()};
    thread_info thread = waiting_in(frames);
    name_wait(thread);
    EXPECT_EQ(thread.waits_for->kind, wait_kind::asio_mutex);
    EXPECT_EQ(thread.waits_for->address, 0x1000U);
    EXPECT_FALSE(thread.waits_for->owner);
  }
}

TEST(Wait, ForAMutexOfTheProgramKeepsItsOwnerBelowAsio) {
  std::vector<frame> frames{frame_of_library("__lll_lock_wait"), frame_of_program(),
                            frame_of_library("boost::asio::detail::futex_slim_mutex::lock()")};
  thread_info thread = waiting_in(frames);
  name_wait(thread);
  EXPECT_EQ(thread.waits_for->kind, wait_kind::mutex);
  EXPECT_EQ(thread.waits_for->owner, ::getpid());
  frames = {
      frame_of_library("boost::asio::detail::posix_event::wait<conditionally_enabled_mutex<"
                       "boost::asio::detail::futex_slim_mutex::scoped_lock>>()")};
  thread = waiting_in(frames);
  name_wait(thread);
  EXPECT_EQ(thread.waits_for->kind, wait_kind::mutex) << "it is only part of a type";
}

}  // namespace
}  // namespace gmr::analyse
