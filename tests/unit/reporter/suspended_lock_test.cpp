// A lock that a green thread keeps while it is suspended: nobody's stack shows it, the report does.
#include <gmock/gmock.h>
#include <sys/epoll.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <mutex>

#include "live_process.hpp"
#include "support/in_child.hpp"

namespace asio = boost::asio;

// The service. Not in a namespace of ours: those frames are not shown as anybody's code.
namespace service {

asio::awaitable<void> bystander(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> keep_lock(std::mutex& mutex, asio::steady_timer& timer) {
  const std::lock_guard lock{mutex};
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> take_lock(std::mutex& mutex) {
  const std::lock_guard lock{mutex};
  co_return;
}

void keep_lock_in_fiber(std::mutex& mutex, asio::steady_timer& timer,
                        const asio::yield_context& yield) {
  const std::lock_guard lock{mutex};
  boost::system::error_code ignored;
  timer.async_wait(yield[ignored]);
}

}  // namespace service

namespace gmr::test {
namespace {

using namespace service;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// An event loop on a thread of its own, with green threads that have nothing to do with locks.
class loop {
 public:
  loop() {
    for (int i = 0; i < 5; ++i)
      asio::co_spawn(io_, bystander(timer_), asio::detached);
    for (int i = 0; i < 5; ++i)
      asio::spawn(
          io_,
          [this](const asio::yield_context& yield) {
            boost::system::error_code ignored;
            timer_.async_wait(yield[ignored]);
          },
          asio::detached);
  }
  asio::io_context& io() { return io_; }
  asio::steady_timer& timer() { return timer_; }
  [[nodiscard]] pid_t thread() const { return thread_.id(); }
  void stop() {
    asio::post(io_, [this] { timer_.cancel(); });
    guard_.reset();
    thread_.join();
  }

 private:
  asio::io_context io_{1};
  asio::steady_timer timer_{io_, std::chrono::hours{1}};
  asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
  test_thread thread_{[this] { io_.run(); }};
};

bool is_taken(std::mutex& mutex) {
  if (!mutex.try_lock()) return true;
  mutex.unlock();
  return false;
}

// The ids of the green threads that have a frame of that function.
std::vector<std::uint64_t> ids_in(const json& report, const std::string& function) {
  std::vector<std::uint64_t> ids;
  for (const json& group : report["green_threads"]["groups"]) {
    const bool here =
        std::any_of(group["frames"].begin(), group["frames"].end(), [&](const json& frame) {
          return frame["function"].is_string() &&
                 frame["function"].get<std::string>().find(function) != std::string::npos;
        });
    for (const json& id : group["ids"])
      if (here) ids.push_back(id);
  }
  return ids;
}

void expect_found(const json& report, const loop& busy, const std::mutex& mutex,
                  const std::string& function, std::vector<pid_t> waiting) {
  const auto found = findings(report, "lock_across_suspension");
  ASSERT_THAT(found, SizeIs(1)) << report["findings"];
  EXPECT_EQ(found[0]["threads"][0], busy.thread());
  waiting.insert(waiting.begin(), busy.thread());
  EXPECT_THAT(found[0]["threads"].get<std::vector<pid_t>>(),
              ::testing::UnorderedElementsAreArray(waiting));
  const auto ids = ids_in(report, function);
  ASSERT_THAT(ids, SizeIs(1)) << report["green_threads"];
  EXPECT_EQ(found[0]["green_threads"].get<std::vector<std::uint64_t>>(), ids);
  const auto text = found[0]["text"].get<std::string>();
  EXPECT_THAT(text, HasSubstr(address_of(&mutex)));
  EXPECT_THAT(text, HasSubstr(function));
  EXPECT_THAT(text, HasSubstr("suspended_lock_test.cpp:"));
}

TEST(LockAcrossSuspension, NamesTheCoroutine) {
  live_reporter reporter;
  std::mutex mutex;
  loop idle;
  asio::co_spawn(idle.io(), keep_lock(mutex, idle.timer()), asio::detached);
  wait_until([&] { return is_taken(mutex); });
  {
    std::vector<std::unique_ptr<test_thread>> waiting;
    std::vector<pid_t> ids;
    for (int i = 0; i < 4; ++i) {
      waiting.push_back(std::make_unique<test_thread>([&] { const std::lock_guard wait{mutex}; }));
      ids.push_back(waiting.back()->id());
      report_with_wait(reporter, ids.back(), "mutex");
    }
    const json report = report_with_wait(reporter, idle.thread(), "epoll");
    expect_found(report, idle, mutex, "keep_lock", ids);
    EXPECT_THAT(findings(report, "convoy"), IsEmpty());  // said once
    EXPECT_THAT(findings(report, "deadlock"), IsEmpty());
    idle.stop();
  }
}

TEST(LockAcrossSuspension, NamesTheFiber) {
  live_reporter reporter;
  std::mutex mutex;
  loop idle;
  asio::spawn(
      idle.io(),
      [&](const asio::yield_context& yield) { keep_lock_in_fiber(mutex, idle.timer(), yield); },
      asio::detached);
  wait_until([&] { return is_taken(mutex); });
  {
    test_thread waiting{[&] { const std::lock_guard wait{mutex}; }};
    report_with_wait(reporter, waiting.id(), "mutex");
    expect_found(report_with_wait(reporter, idle.thread(), "epoll"), idle, mutex,
                 "keep_lock_in_fiber", {waiting.id()});
    idle.stop();
  }
}

// The loop runs into the lock that one of its own coroutines keeps: it never comes to give it back.
TEST(LockAcrossSuspension, AlsoWhenTheLoopWaitsForItItself) {
  in_child([] {
    live_reporter reporter;
    auto* const mutex = new std::mutex;
    auto* const stuck = new loop;
    asio::co_spawn(stuck->io(), keep_lock(*mutex, stuck->timer()), asio::detached);
    wait_until([&] { return is_taken(*mutex); });
    asio::co_spawn(stuck->io(), take_lock(*mutex), asio::detached);
    const json report = report_with_wait(reporter, stuck->thread(), "mutex");
    expect_found(report, *stuck, *mutex, "keep_lock", {});
    EXPECT_THAT(findings(report, "deadlock"), SizeIs(1));
    EXPECT_THAT(findings(report, "lock_across_suspension")[0]["text"].get<std::string>(),
                HasSubstr("waits for it itself"));
  });
}

// Held by a plain function on the loop's thread that is busy with something else.
TEST(LockAcrossSuspension, AHandlerThatKeepsALockWhileItWaitsIsNone) {
  live_reporter reporter;
  std::mutex mutex;
  loop busy;
  pipe_ends pipe;
  asio::post(busy.io(), [&] {
    const std::lock_guard lock{mutex};
    char byte = 0;
    EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
  });
  wait_until([&] { return is_taken(mutex); });
  test_thread waiting{[&] { const std::lock_guard wait{mutex}; }};
  report_with_wait(reporter, busy.thread(), "read");
  EXPECT_THAT(conclusions(report_with_wait(reporter, waiting.id(), "mutex")), IsEmpty());
  pipe.write_byte();
  busy.stop();
}

// Without green threads there is nobody to name.
TEST(LockAcrossSuspension, AThreadThatHoldsALockInEpollIsNone) {
  live_reporter reporter;
  std::mutex mutex;
  pipe_ends pipe;
  test_thread holding{[&] {
                        const std::lock_guard lock{mutex};
                        const int set = epoll_create1(0);
                        epoll_event event{};
                        event.events = EPOLLIN;
                        epoll_ctl(set, EPOLL_CTL_ADD, pipe.ends[0], &event);
                        while (epoll_wait(set, &event, 1, -1) < 0 && errno == EINTR) {
                        }
                        close(set);
                      },
                      [&] { pipe.write_byte(); }};
  report_with_wait(reporter, holding.id(), "epoll");
  test_thread waiting{[&] { const std::lock_guard wait{mutex}; }, [&] { holding.join(); }};
  EXPECT_THAT(conclusions(report_with_wait(reporter, waiting.id(), "mutex")), IsEmpty());
}

// No green thread has the lock's address: none is accused of holding it.
TEST(LockAcrossSuspension, OfALockThatNoGreenThreadRefersToPlainCodeMayBeTheHolder) {
  live_reporter reporter;
  static auto* const mutex = new std::mutex;  // never given back
  loop idle;
  std::atomic<bool> taken = false;
  asio::post(idle.io(), [&] {
    mutex->lock();
    taken = true;
  });
  wait_until([&] { return taken.load(); });
  {
    test_thread waiting{[&] { const std::lock_guard wait{*mutex}; },
                        [&] { asio::post(idle.io(), [&] { mutex->unlock(); }); }};
    report_with_wait(reporter, waiting.id(), "mutex");
    const json report = report_with_wait(reporter, idle.thread(), "epoll");
    const auto found = findings(report, "lock_across_suspension");
    ASSERT_THAT(found, SizeIs(1)) << report["findings"];
    EXPECT_THAT(found[0]["text"].get<std::string>(),
                HasSubstr("none of the green threads that last ran there refers to it: plain code "
                          "of the thread may hold it"));
    EXPECT_THAT(found[0]["green_threads"], IsEmpty());
  }
  idle.stop();
}

}  // namespace
}  // namespace gmr::test
