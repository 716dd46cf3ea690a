// Boost.Fiber, on one and several threads, unchanged. Its switches happen within its own library.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/fiber/algo/shared_work.hpp>
#include <boost/fiber/barrier.hpp>
#include <boost/fiber/buffered_channel.hpp>
#include <boost/fiber/condition_variable.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/mutex.hpp>
#include <boost/fiber/operations.hpp>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

namespace fibers = boost::fibers;

// Fibers that wait on one condition, each leaving the address of a local variable. What they share
// is guarded by means that ThreadSanitizer knows: Boost.Fiber's library is not instrumented.
class waiting_room {
 public:
  void wait() {
    int here = 0;
    {
      const std::lock_guard lock{locals_mutex_};
      locals_.push_back(&here);
    }
    std::unique_lock lock{mutex_};
    open_.wait(lock, [this] { return is_open_.load(); });
  }
  void open() {
    const std::lock_guard lock{mutex_};
    is_open_ = true;
    open_.notify_all();
  }
  [[nodiscard]] std::vector<const void*> locals() {
    const std::lock_guard lock{locals_mutex_};
    return locals_;
  }

 private:
  std::mutex locals_mutex_;
  std::vector<const void*> locals_;
  fibers::mutex mutex_;
  fibers::condition_variable open_;
  std::atomic<bool> is_open_{false};
};

TEST(BoostFiber, ListsWaitingFibersAndTheMainFiber) {
  constexpr std::size_t count = 20;
  waiting_room room;
  std::vector<fibers::fiber> workers;
  for (std::size_t i = 0; i < count; ++i)
    workers.emplace_back([&] { room.wait(); });
  listing seen;
  fibers::fiber observer{[&] { seen = list_fibers(); }};
  while (room.locals().size() != count)
    boost::this_fiber::yield();
  observer.join();
  for (const void* local : room.locals()) {
    const listed_fiber* const fiber = seen.on_stack_of(local);
    ASSERT_NE(fiber, nullptr);
    EXPECT_TRUE(fiber->is_suspended());
  }
  // The main fiber waits in join: the thread's own stack.
  ASSERT_EQ(seen.own_stacks.size(), 1u);
  EXPECT_TRUE(seen.own_stacks.front().is_suspended());

  room.open();
  for (fibers::fiber& worker : workers)
    worker.join();
  boost::this_fiber::yield();
  seen = list_fibers();
  for (const listed_fiber& fiber : seen.fibers)
    EXPECT_TRUE(fiber.is_suspended());
  EXPECT_LE(seen.fibers.size(), 1u);  // the scheduler's dispatcher
}

// They switch from one to the next, round and round: none is resumed by another that waits for it.
TEST(BoostFiber, ThatTakeTurnsHaveNoParentsInACircle) {
  std::vector<listing> seen;
  std::vector<fibers::fiber> workers;
  for (int i = 0; i < 3; ++i)
    workers.emplace_back([&] {
      for (int turn = 0; turn < 5; ++turn) {
        boost::this_fiber::yield();
        seen.push_back(list_fibers());
      }
    });
  for (fibers::fiber& worker : workers)
    worker.join();
  for (const listing& each : seen) {
    std::map<std::uint64_t, std::uint64_t> parents;
    for (const listed_fiber& fiber : each.fibers)
      parents[fiber.id] = fiber.parent;
    for (const listed_fiber& own : each.own_stacks)
      EXPECT_EQ(own.parent, 0U);
    for (const auto& [id, parent] : parents) {
      EXPECT_EQ(parent, 0U) << "fiber " << id << " was switched to, and not resumed";
      std::size_t steps = 0;
      for (std::uint64_t at = parent; at != 0 && steps <= parents.size(); ++steps)
        at = parents.contains(at) ? parents[at] : 0;
      EXPECT_LE(steps, parents.size()) << "fiber " << id << " is its own ancestor";
    }
  }
}

// Several threads share one queue of fibers. The calling thread is one of them only while a round
// of work lasts, so each round has its own thread for it.
void share_work(int threads, std::size_t count, int switches) {
  fibers::barrier begin{static_cast<std::size_t>(threads)};
  std::atomic<bool> done{false};
  fibers::mutex mutex;
  fibers::condition_variable finished;
  std::vector<std::thread> pool;
  for (int i = 1; i < threads; ++i)
    pool.emplace_back([&] {
      fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
      begin.wait();
      std::unique_lock lock{mutex};
      finished.wait(lock, [&] { return done.load(); });
    });
  fibers::use_scheduling_algorithm<fibers::algo::shared_work>();
  begin.wait();

  std::atomic<std::size_t> moved{0};
  std::vector<fibers::fiber> workers;
  waiting_room room;
  for (std::size_t i = 0; i < count; ++i)
    workers.emplace_back([&] {
      const pid_t first = gettid();
      for (int turn = 0; turn < switches || (moved == 0 && turn < 1000 * switches); ++turn) {
        if (gettid() != first) moved = 1;
        boost::this_fiber::yield();
      }
      room.wait();
    });
  listing seen;
  do {
    boost::this_fiber::yield();
    seen = list_fibers();
    for (const listed_fiber& fiber : seen.suspended())
      ASSERT_TRUE(fiber.contains(reinterpret_cast<const void*>(fiber.stack.registers.sp)));
  } while (room.locals().size() != count);
  // The last of them may still be on their way into the wait, on another thread.
  const std::vector<const void*> locals = room.locals();
  while (!std::ranges::all_of(locals, [&](const void* local) { return seen.on_stack_of(local); }))
    seen = list_fibers();
  room.open();
  for (fibers::fiber& worker : workers)
    worker.join();
  EXPECT_EQ(moved, 1u);
  {
    const std::lock_guard lock{mutex};
    done = true;
  }
  finished.notify_all();
  for (std::thread& thread : pool)
    thread.join();
}

TEST(BoostFiber, FollowsFibersOverThreadsThatShareWork) {
  std::thread{[] { share_work(4, 40, 200); }}.join();
  // Threads that ended have taken their dispatchers with them; another may have one still.
  EXPECT_LE(list_fibers().fibers.size(), 1u);
}

TEST(BoostFiber, ChannelsBetweenFibersWork) {
  fibers::buffered_channel<int> channel{4};
  int sum = 0;
  fibers::fiber consumer{[&] {
    for (int value : channel)
      sum += value;
  }};
  fibers::fiber producer{[&] {
    for (int i = 1; i <= 100; ++i)
      channel.push(i);
    channel.close();
  }};
  producer.join();
  consumer.join();
  EXPECT_EQ(sum, 5050);
}

}  // namespace
}  // namespace gmr::test
