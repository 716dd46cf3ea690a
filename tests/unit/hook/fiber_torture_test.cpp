// Threads that make, switch and end fibers as fast as they can, while another lists them.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "fiber_listing.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr::test {
namespace {

namespace context = boost::context;

// Fibers that any thread may take, resume and put back.
class exchange {
 public:
  void put(context::fiber&& fiber) {
    const std::lock_guard lock{mutex_};
    fibers_.push_back(std::move(fiber));
  }
  context::fiber take(std::minstd_rand& random) {
    const std::lock_guard lock{mutex_};
    if (fibers_.empty()) return {};
    std::swap(fibers_[random() % fibers_.size()], fibers_.back());
    context::fiber fiber = std::move(fibers_.back());
    fibers_.pop_back();
    return fiber;
  }

 private:
  std::mutex mutex_;
  std::vector<context::fiber> fibers_;
};

context::fiber make_fiber(std::minstd_rand& random, std::atomic<std::uint64_t>& switches) {
  const auto body = [turns = random() % 8, &switches](context::fiber&& caller) {
    for (auto turn = 0u; turn < turns; ++turn) {
      ++switches;
      caller = std::move(caller).resume();
    }
    return std::move(caller);
  };
  if (random() % 2 == 0)
    return context::fiber{std::allocator_arg, context::fixedsize_stack{32 * 1024}, body};
  return context::fiber{std::allocator_arg, context::protected_fixedsize_stack{32 * 1024}, body};
}

void churn(exchange& fibers, unsigned seed, std::atomic<std::uint64_t>& switches,
           const std::atomic<bool>& stop) {
  std::minstd_rand random{seed};
  while (!stop) {
    context::fiber fiber = random() % 4 == 0 ? make_fiber(random, switches) : fibers.take(random);
    if (!fiber || random() % 16 == 0) continue;  // destroyed where it is: unwound
    fiber =
        random() % 8 == 0
            ? std::move(fiber).resume_with([](context::fiber&& from) { return std::move(from); })
            : std::move(fiber).resume();
    if (fiber) fibers.put(std::move(fiber));
  }
}

TEST(FiberTorture, ListingNeverSeesAnImpossibleFiber) {
  using namespace std::chrono_literals;
  constexpr unsigned threads = 3;
  exchange fibers;
  std::atomic<std::uint64_t> switches{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> pool;
  for (unsigned i = 0; i < threads; ++i)
    pool.emplace_back([&, i] { churn(fibers, i + 1, switches, stop); });

  const auto end = std::chrono::steady_clock::now() + 2s;
  std::uint64_t listed = 0;
  std::uint64_t unchanged = 0;
  while (std::chrono::steady_clock::now() < end || switches < 1000 || unchanged == 0) {
    const listing seen = list_fibers();
    for (const listed_fiber& fiber : seen.fibers) {
      ++listed;
      ASSERT_NE(fiber.id, 0u);
      if (!fiber.is_suspended()) continue;
      ASSERT_TRUE(fiber.contains(reinterpret_cast<const void*>(fiber.stack.registers.sp)));
      ASSERT_EQ(fiber.stack.high % 16, 0u);
      ASSERT_LE(fiber.stack.high - fiber.stack.low, 48u * 1024);
      if (fiber.sequence->load() == fiber.sequence_seen) ++unchanged;
    }
    trace::thread_traits traits;
    for (const listed_fiber& fiber : seen.fibers)
      if (fiber.thread != 0 && trace::find_thread(fiber.thread, traits) && traits.fiber != 0) {
        ASSERT_LT(traits.low, traits.high);
        ASSERT_LE(traits.high - traits.low, 48u * 1024);
      }
  }
  stop = true;
  for (std::thread& thread : pool)
    thread.join();
  EXPECT_GT(listed, 0u);
  std::minstd_rand random{1};
  while (fibers.take(random)) {
  }
  EXPECT_TRUE(list_fibers().fibers.empty());
}

}  // namespace
}  // namespace gmr::test
