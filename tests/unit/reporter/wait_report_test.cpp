// What a blocked thread is said to wait for, end to end, and what it used of the CPU.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <fcntl.h>
#include <cerrno>
#include <set>
#include <string>

#include "../capture/backend.hpp"
#include "hook/threads/thread_registry.hpp"
#include "live_process.hpp"

namespace gmr::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Wakes whoever is blocked: with EINTR.
void interrupt(pid_t thread) {
  struct sigaction action{};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
  tgkill(getpid(), thread, SIGUSR1);
}

// The wait of a thread that is in `block` until it is interrupted.
std::atomic<bool> reported = false;

json wait_in(const std::string& kind, const std::function<void()>& block) {
  live_reporter reporter;
  std::atomic<bool> returned = false;
  reported = false;
  test_thread waiting{[&] {
    block();
    returned = true;
  }};
  const pid_t id = waiting.id();
  const json wait = wait_of(report_with_wait(reporter, id, kind), id);
  reported = true;
  wait_until([&] {
    if (!returned) interrupt(id);
    return returned.load();
  });
  return wait;
}

void read_one(int descriptor) {
  char byte = 0;
  EXPECT_EQ(read(descriptor, &byte, 1), -1);
}

class closing {
 public:
  explicit closing(int descriptor) : descriptor_(descriptor) { EXPECT_GE(descriptor, 0); }
  ~closing() { close(descriptor_); }
  closing(const closing&) = delete;
  closing& operator=(const closing&) = delete;
  operator int() const { return descriptor_; }  // NOLINT(google-explicit-constructor)

 private:
  int descriptor_;
};

template <class Address>
std::pair<Address, socklen_t> own_address(int socket) {
  Address address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {address, size};
}

template <class Address>
bool listen_on(int socket, Address address, socklen_t size, int backlog) {
  return bind(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
         listen(socket, backlog) == 0;
}

template <class Address>
int connect_to(int socket, const std::pair<Address, socklen_t>& to) {
  return connect(socket, reinterpret_cast<const sockaddr*>(&to.first), to.second);
}

std::string text_of(const sockaddr_in& address) {
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}
std::string text_of(const sockaddr_in6& address) {
  return "[::1]:" + std::to_string(ntohs(address.sin6_port));
}

const sockaddr_in loopback{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
const sockaddr_in6 loopback6{AF_INET6, 0, 0, IN6ADDR_LOOPBACK_INIT, 0};

TEST(WaitReport, Pipe) {
  const pipe_ends pipe;
  const json wait = wait_in("read", [&] { read_one(pipe.ends[0]); });
  EXPECT_EQ(wait["fd"], pipe.ends[0]);
  EXPECT_EQ(wait["peer"], "pipe");
}

TEST(WaitReport, FileByItsPath) {
  const std::string path = "/tmp/gmr-wait-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  {
    const closing fifo{open(path.c_str(), O_RDWR)};
    EXPECT_EQ(wait_in("read", [&] { read_one(fifo); })["peer"], path);
  }
  unlink(path.c_str());
}

TEST(WaitReport, Eventfd) {
  const closing event{eventfd(0, 0)};
  std::uint64_t value = 0;
  const json wait = wait_in("read", [&] { EXPECT_EQ(read(event, &value, sizeof value), -1); });
  EXPECT_EQ(wait["fd"], static_cast<int>(event));
  EXPECT_EQ(wait["peer"], "eventfd");
}

TEST(WaitReport, Timerfd) {
  const closing timer{timerfd_create(CLOCK_MONOTONIC, 0)};
  std::uint64_t value = 0;
  const json wait = wait_in("read", [&] { EXPECT_EQ(read(timer, &value, sizeof value), -1); });
  EXPECT_EQ(wait["peer"], "timerfd");
}

TEST(WaitReport, EpollAndPoll) {
  const closing set{epoll_create1(0)};
  const json epoll = wait_in("epoll", [&] {
    epoll_event event{};
    do  // a capture with a signal interrupts it
      EXPECT_EQ(epoll_wait(set, &event, 1, -1), -1);
    while (!reported);
  });
  EXPECT_EQ(epoll["fd"], static_cast<int>(set));
  const closing event{eventfd(0, 0)};
  const json poll_one = wait_in("poll", [&] {
    pollfd polled{event, POLLIN, 0};
    do
      EXPECT_EQ(poll(&polled, 1, -1), -1);
    while (!reported);
  });
  EXPECT_EQ(poll_one["fd"], static_cast<int>(event));
  EXPECT_EQ(poll_one["peer"], "eventfd");
}

template <class Address>
void expect_both_addresses(int family, const Address& any, socklen_t size) {
  const closing server{socket(family, SOCK_STREAM, 0)};
  if (!listen_on(server, any, size, 5)) GTEST_SKIP() << "no such address here";
  const auto address = own_address<Address>(server);
  EXPECT_EQ(wait_in("accept", [&] { accept(server, nullptr, nullptr); })["peer"],
            "tcp " + text_of(address.first) + " listening");
  const closing client{socket(family, SOCK_STREAM, 0)};
  ASSERT_EQ(connect_to(client, address), 0);
  const auto own = own_address<Address>(client);
  const json wait = wait_in("receive", [&] {
    char byte = 0;
    EXPECT_EQ(recv(client, &byte, 1, 0), -1);
  });
  EXPECT_EQ(wait["fd"], static_cast<int>(client));
  EXPECT_EQ(wait["peer"], "tcp " + text_of(own.first) + " - " + text_of(address.first));
}

TEST(WaitReport, TcpSocketsOfIpv4) {
  expect_both_addresses(AF_INET, loopback, sizeof loopback);
}

TEST(WaitReport, TcpSocketsOfIpv6) {
  expect_both_addresses(AF_INET6, loopback6, sizeof loopback6);
}

TEST(WaitReport, UnixSocketsByTheirPath) {
  sockaddr_un address{AF_UNIX, {}};
  const std::string path = "/tmp/gmr-socket-" + std::to_string(getpid());
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const closing server{socket(AF_UNIX, SOCK_STREAM, 0)};
  ASSERT_TRUE(listen_on(server, address, sizeof address, 5));
  EXPECT_EQ(wait_in("accept", [&] { accept(server, nullptr, nullptr); })["peer"],
            "unix " + path + " listening");
  const closing client{socket(AF_UNIX, SOCK_STREAM, 0)};
  ASSERT_EQ(connect_to(client, std::pair{address, socklen_t{sizeof address}}), 0);
  EXPECT_EQ(wait_in("read", [&] { read_one(client); })["peer"], "unix - " + path);
  unlink(path.c_str());
}

// To a listener that accepts nobody and whose queue is full.
TEST(WaitReport, ConnectSaysWhereTo) {
  const closing server{socket(AF_INET, SOCK_STREAM, 0)};
  ASSERT_TRUE(listen_on(server, loopback, sizeof loopback, 0));
  const auto address = own_address<sockaddr_in>(server);
  std::vector<std::unique_ptr<closing>> queued;
  for (int i = 0; i < 4; ++i) {
    queued.push_back(std::make_unique<closing>(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)));
    connect_to(*queued.back(), address);
  }
  const closing client{socket(AF_INET, SOCK_STREAM, 0)};
  const json wait = wait_in("connect", [&] { EXPECT_EQ(connect_to(client, address), -1); });
  EXPECT_EQ(wait["fd"], static_cast<int>(client));
  EXPECT_THAT(wait["peer"].get<std::string>(), StartsWith("tcp "));
  EXPECT_THAT(wait["peer"].get<std::string>(), EndsWith(" - " + text_of(address.first)));
}

// Not with the C library's way into the kernel, which people do not know.
TEST(WaitReport, TheStackBeginsWithTheCall) {
  if (capture::testing::threads_walk) GTEST_SKIP() << "the frames of a handler come before it";
  live_reporter reporter;
  const closing event{eventfd(0, 0)};
  const closing set{epoll_create1(0)};
  epoll_event wanted{.events = EPOLLIN, .data = {}};
  ASSERT_EQ(epoll_ctl(set, EPOLL_CTL_ADD, event, &wanted), 0);
  const auto begin_of = [&](const std::string& kind, const std::function<void()>& block) {
    test_thread waiting{block, [&] { eventfd_write(event, 1); }};
    const json report = report_with_wait(reporter, waiting.id(), kind);
    const json frames = thread_of(report, waiting.id())["frames"];
    return frames.empty() ? "no frame" : frames[0]["function"].dump();
  };
  EXPECT_THAT(begin_of("epoll",
                       [&] {
                         epoll_event got{};
                         while (epoll_wait(set, &got, 1, -1) != 1) {
                         }
                       }),
              HasSubstr("epoll_wait"));
  eventfd_t value = 0;
  eventfd_read(event, &value);
  EXPECT_THAT(begin_of("read", [&] { EXPECT_EQ(read(event, &value, sizeof value), 8); }),
              HasSubstr("read"));
  EXPECT_THAT(begin_of("poll",
                       [&] {
                         pollfd polled{event, POLLIN, 0};
                         while (poll(&polled, 1, -1) != 1) {
                         }
                       }),
              HasSubstr("poll"));
}

// Where frame pointers are needed to read a stack, as in sanitized builds, a report ends a sleep.
TEST(WaitReport, SleepSaysHowLongItIs) {
  const json whole = wait_in("sleep", [] {
    const timespec time{3600, 500'000'000};
    while (nanosleep(&time, nullptr) != 0 && !reported) {
    }
  });
  EXPECT_EQ(whole["peer"], "3600.5 s altogether");
  const json until = wait_in("sleep", [] {
    timespec end{};
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 3600;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nullptr) == EINTR && !reported) {
    }
  });
  EXPECT_LE(until["seconds"], 3600.0);
  EXPECT_GT(until["seconds"], 3000.0);
}

TEST(CpuReport, HasAllTimesAndNamesWhoSpins) {
  live_reporter reporter;
  std::atomic<bool> stop = false;
  test_thread spinning{[&] {
                         while (!stop) {
                         }
                       },
                       [&] { stop = true; }};
  json report;
  json named;
  wait_until([&] {  // other load may take the CPU for longer than it is watched
    report = reporter.make();
    named = findings(report, "spinning_thread");
    return !named.empty() && thread_of(report, spinning.id())["cpu"]["user_seconds"] > 0;
  });
  ASSERT_FALSE(named.empty());
  EXPECT_EQ(named[0]["threads"], json::array({spinning.id()}));
  const json cpu = thread_of(report, spinning.id())["cpu"];
  EXPECT_GE(cpu["system_seconds"].get<double>(), 0);
  EXPECT_GE(cpu["waiting_seconds"].get<double>(), 0);
  const auto percent = cpu["recent_percent"].get<double>();
  EXPECT_GT(percent, 5);
  EXPECT_THAT(named[0]["text"].get<std::string>(),
              HasSubstr(percent >= 95 ? "uses a whole CPU" : "uses all it can get of a CPU"));
  for (const json& each : report["threads"])
    EXPECT_FALSE(each["cpu"].is_null()) << each["name"];
}

// Of a thread that can't be had, what the kernel tells.
TEST(Unreachable, IsToldWhereItIsInTheKernel) {
  live_reporter reporter;
  pipe_ends pipe;
  char byte = 0;
  test_thread deaf{[&] {
                     sigset_t all;
                     sigfillset(&all);
                     pthread_sigmask(SIG_SETMASK, &all, nullptr);
                     EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                   },
                   [&] { pipe.write_byte(); }};
  const json report = report_with_wait(reporter, deaf.id(), "read");
  EXPECT_EQ(thread_of(report, deaf.id())["capture"], "signal_blocked");
  EXPECT_EQ(thread_of(report, deaf.id())["state"], "sleeping");
  const std::string about = "thread " + std::to_string(deaf.id()) + ": blocks the capture signal";
  const std::string call =
      "in read(" + std::to_string(pipe.ends[0]) + ", " + address_of(&byte) + ", 1)";
  std::string note;
  for (const json& each : report["cost"]["notes"])
    if (each.get<std::string>().starts_with(about)) note = each;
  EXPECT_THAT(note, HasSubstr(call));
  const std::string channel = os::task_files{}.wait_channel(deaf.id());  // may be a secret
  EXPECT_EQ(note.find("; wait channel " + channel) != std::string::npos, !channel.empty()) << note;
}

// The library's own threads are in the report like any other.
TEST(OwnThreads, AreCapturedAndHaveAlternateStacks) {
  live_reporter reporter;
  reporter.add_section();
  const auto own_threads = [](const json& report) {
    json own = report["threads"];
    std::erase_if(own.get_ref<json::array_t&>(), [](const json& each) {
      return !each["name"].get<std::string>().starts_with("gmr");
    });
    return own;
  };
  json own;
  const auto name_of = [&](std::size_t at) { return own[at]["name"].get<std::string>(); };
  wait_until([&] {  // all have begun: they name themselves
    own = own_threads(reporter.make());
    return own.size() == 3 &&
           std::set{name_of(0), name_of(1), name_of(2)} ==
               std::set<std::string>{"gmr-reporter", "gmr-sections", "gmr-watchdog"};
  });
  for (const json& each : own) {
    EXPECT_EQ(each["capture"], "ok") << each["name"];
    trace::thread_traits traits;
    wait_until([&] { return trace::find_thread(each["id"], traits); });
    EXPECT_NE(traits.alternate.high, 0) << each["name"];
  }
}

}  // namespace
}  // namespace gmr::test
