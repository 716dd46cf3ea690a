// asio::spawn, unchanged, seen through the fiber source.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// An io_context on some threads, with fibers that wait for a timer which is cancelled at the end.
class service {
 public:
  explicit service(int threads) {
    for (int i = 0; i < threads; ++i)
      threads_.emplace_back([this] { context_.run(); });
  }

  // The address of a local variable of the new fiber is in `locals` once it is about to wait.
  void spawn_waiting_fiber() {
    asio::spawn(
        asio::make_strand(context_), std::allocator_arg,
        boost::context::protected_fixedsize_stack{128 * 1024},
        [this](const asio::yield_context& yield) {
          asio::steady_timer timer{yield.get_executor(), 1h};
          boost::system::error_code error;
          {
            const std::lock_guard lock{mutex_};
            locals_.push_back(&timer);
            timers_.push_back(&timer);
          }
          timer.async_wait(yield[error]);
        },
        asio::detached);
  }

  [[nodiscard]] std::vector<const void*> locals() {
    const std::lock_guard lock{mutex_};
    return locals_;
  }

  void end_all() {
    for (asio::steady_timer* timer : timers_)
      asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    work_.reset();
    for (std::thread& thread : threads_)
      thread.join();
  }

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::mutex mutex_;
  std::vector<const void*> locals_;
  std::vector<asio::steady_timer*> timers_;
  std::vector<std::thread> threads_;
};

class SpawnedFibers : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, SpawnedFibers, ::testing::Values(1, 4));

TEST_P(SpawnedFibers, AreAllListedOnTheirStacks) {
  constexpr std::size_t count = 100;
  service served{GetParam()};
  for (std::size_t i = 0; i < count; ++i)
    served.spawn_waiting_fiber();

  // Until all have begun: before that a fiber is listed as suspended at its entry.
  while (served.locals().size() != count)
    std::this_thread::yield();
  listing seen;
  do
    seen = list_fibers();
  while (seen.suspended().size() != count);

  EXPECT_EQ(seen.fibers.size(), count);
  for (const void* local : served.locals()) {
    const listed_fiber* const fiber = seen.on_stack_of(local);
    ASSERT_NE(fiber, nullptr);
    EXPECT_TRUE(fiber->contains(reinterpret_cast<const void*>(fiber->stack.registers.sp)));
    EXPECT_LT(fiber->stack.registers.sp, reinterpret_cast<std::uintptr_t>(local));
  }
  served.end_all();
  EXPECT_TRUE(list_fibers().fibers.empty());
}

// Fibers that move between threads all the time, while they are being listed.
TEST(SpawnedFibersMoving, StayListedWhileTheyMove) {
  constexpr int fibers = 20;
  constexpr int threads = 4;
  asio::io_context context;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> switches{0};
  for (int i = 0; i < fibers; ++i)
    asio::spawn(
        context,
        [&](const asio::yield_context& yield) {
          while (!stop) {
            asio::post(yield);
            ++switches;
          }
        },
        asio::detached);
  // Runs each fiber up to its first switch, so that all are there from now on.
  while (switches < 4 * fibers)
    context.run_one();

  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i)
    pool.emplace_back([&] { context.run(); });
  std::uint64_t running = 0;
  const std::uint64_t until = switches + 20'000;
  do {
    const listing seen = list_fibers();
    ASSERT_EQ(seen.fibers.size(), fibers);
    running += seen.fibers.size() - seen.suspended().size();
    for (const listed_fiber& fiber : seen.suspended())
      ASSERT_TRUE(fiber.contains(reinterpret_cast<const void*>(fiber.stack.registers.sp)));
  } while (switches < until || running == 0);
  stop = true;
  for (std::thread& thread : pool)
    thread.join();
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(SpawnedFibersDestroyed, VanishWithTheirContext) {
  bool unwound = false;
  {
    asio::io_context context;
    asio::spawn(
        context,
        [&](const asio::yield_context& yield) {
          const std::shared_ptr<void> sentry{nullptr, [&](void*) { unwound = true; }};
          asio::steady_timer{yield.get_executor(), 1h}.async_wait(yield);
        },
        asio::detached);
    context.poll();
    EXPECT_EQ(list_fibers().suspended().size(), 1u);
  }
  EXPECT_TRUE(unwound);
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(SpawnedFibersThrowing, EndLikeOthers) {
  asio::io_context context;
  std::exception_ptr received;
  asio::spawn(
      context,
      [](const asio::yield_context& yield) {
        asio::post(yield);
        throw std::runtime_error{"thrown by the fiber"};
      },
      [&](std::exception_ptr thrown) { received = thrown; });
  context.run();
  EXPECT_NE(received, nullptr);
  EXPECT_TRUE(list_fibers().fibers.empty());
}

}  // namespace
}  // namespace gmr::test
