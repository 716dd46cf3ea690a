// What the registry says of threads: alternate signal stacks and the fiber that runs.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <boost/context/fiber.hpp>
#include <csignal>
#include <thread>
#include <vector>

#include "fiber_listing.hpp"
#include "gmr/trace/enroll.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr::test {
namespace {

namespace context = boost::context;

bool has_alternate_stack() {
  stack_t present{};
  return sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0;
}

void on_new_thread(const std::function<void()>& work) {
  std::thread{work}.join();
}

// One fiber that suspends and ends.
void switch_a_little() {
  context::fiber fiber{[](context::fiber&& caller) {
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  fiber = std::move(fiber).resume();
}

TEST(ThreadRegistry, KnowsOnlyEnrolledThreads) {
  on_new_thread([] {
    trace::thread_traits traits;
    EXPECT_FALSE(trace::find_thread(gettid(), traits));
    EXPECT_FALSE(trace::find_this_thread(traits));
    enroll_this_thread();
    ASSERT_TRUE(trace::find_thread(gettid(), traits));
    EXPECT_NE(traits.alternate.high, 0);
    EXPECT_EQ(traits.fiber, 0u);
    EXPECT_TRUE(has_alternate_stack());
  });
}

TEST(ThreadRegistry, FirstSwitchEnrolls) {
  on_new_thread([] {
    switch_a_little();
    trace::thread_traits traits;
    ASSERT_TRUE(trace::find_thread(gettid(), traits));
    EXPECT_NE(traits.alternate.high, 0);
    EXPECT_TRUE(has_alternate_stack());
  });
}

TEST(ThreadRegistry, ForgetsThreadsThatEnded) {
  pid_t tid = 0;
  on_new_thread([&] {
    tid = gettid();
    enroll_this_thread();
  });
  trace::thread_traits traits;
  EXPECT_FALSE(trace::find_thread(tid, traits));
}

TEST(ThreadRegistry, KeepsAnAlternateStackThatIsThere) {
  on_new_thread([] {
    std::vector<std::byte> memory(4 * trace::alternate_stack_size());
    stack_t own{};
    own.ss_sp = memory.data();
    own.ss_size = memory.size();
    stack_t before{};
    ASSERT_EQ(sigaltstack(&own, &before), 0);
    switch_a_little();
    stack_t now{};
    sigaltstack(nullptr, &now);
    EXPECT_EQ(now.ss_sp, memory.data());
    trace::thread_traits traits;
    ASSERT_TRUE(trace::find_thread(gettid(), traits));
    EXPECT_NE(traits.alternate.high, 0);
    sigaltstack(&before, nullptr);
  });
}

TEST(ThreadRegistry, AlternateStackHoldsAHandler) {
  static std::atomic<const void*> handler_frame;
  struct sigaction action{};
  action.sa_flags = SA_ONSTACK;
  action.sa_handler = [](int) {
    volatile char here[4096] = {};
    handler_frame = const_cast<const char*>(&here[0]);
  };
  struct sigaction before{};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  on_new_thread([] {
    enroll_this_thread();
    stack_t present{};
    sigaltstack(nullptr, &present);
    raise(SIGUSR1);
    const auto* low = static_cast<const std::byte*>(present.ss_sp);
    EXPECT_GE(handler_frame.load(), low);
    EXPECT_LT(handler_frame.load(), low + present.ss_size);
  });
  sigaction(SIGUSR1, &before, nullptr);
}

TEST(ThreadRegistry, TellsTheRunningFiberAndItsBounds) {
  trace::thread_traits within;
  trace::thread_traits here;
  std::uint64_t listed = 0;
  const int* local = nullptr;
  context::fiber fiber{[&](context::fiber&& caller) {
    int on_fiber = 0;
    local = &on_fiber;
    EXPECT_TRUE(trace::find_thread(gettid(), within));
    EXPECT_TRUE(trace::find_this_thread(here));
    listed = list_fibers().fibers.front().id;
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  EXPECT_EQ(within.fiber, listed);
  EXPECT_EQ(here.fiber, listed);
  EXPECT_LE(within.low, reinterpret_cast<std::uintptr_t>(local));
  EXPECT_GT(within.high, reinterpret_cast<std::uintptr_t>(local));
  ASSERT_TRUE(trace::find_thread(gettid(), within));
  EXPECT_EQ(within.fiber, 0u);
}

TEST(ThreadRegistry, FindsManyThreadsAtOnce) {
  constexpr int count = 100;
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  std::vector<std::atomic<pid_t>> tids(count);
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      enroll_this_thread();
      tids[static_cast<std::size_t>(i)] = gettid();
      ++ready;
      go.wait(false);
    });
  while (ready != count)
    std::this_thread::yield();
  trace::thread_traits traits;
  for (const auto& tid : tids)
    EXPECT_TRUE(trace::find_thread(tid, traits)) << tid;
  go = true;
  go.notify_all();
  for (std::thread& thread : threads)
    thread.join();
  for (const auto& tid : tids)
    EXPECT_FALSE(trace::find_thread(tid, traits)) << tid;
}

// A thread_local whose destructor switches, as Boost.Fiber's does.
struct switches_at_thread_exit {
  ~switches_at_thread_exit() {
    if (used) switch_a_little();
  }
  bool used = false;
};

TEST(ThreadRegistry, SwitchesWhileAThreadEnds) {
  on_new_thread([] {
    static thread_local switches_at_thread_exit last;
    last.used = true;
    switch_a_little();
  });
  EXPECT_TRUE(list_fibers().fibers.empty());
}

#if !defined(__SANITIZE_THREAD__)
// Runs in the child: 0 when all is as it should be there.
int check_child(pid_t parent) {
  trace::thread_traits traits;
  if (trace::find_thread(parent, traits)) return 1;
  if (!trace::find_thread(gettid(), traits)) return 2;
  if (list_fibers().fibers.size() != 1) return 3;  // the suspended one; not the other thread's
  switch_a_little();
  return list_fibers().fibers.size() == 1 ? 0 : 4;
}

TEST(ThreadRegistry, ChildAfterForkKnowsItselfAndNoOtherThread) {
  context::fiber suspended{[](context::fiber&& caller) {
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  suspended = std::move(suspended).resume();
  std::atomic<bool> runs{false};
  std::atomic<bool> stop{false};
  std::thread other{[&] {
    context::fiber fiber{[&](context::fiber&& caller) {
      runs = true;
      runs.notify_all();
      stop.wait(false);
      return std::move(caller);
    }};
    fiber = std::move(fiber).resume();
  }};
  runs.wait(false);
  EXPECT_EQ(list_fibers().fibers.size(), 2u);
  const pid_t parent = gettid();
  const pid_t child = fork();
  if (child == 0) _exit(check_child(parent));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  stop = true;
  stop.notify_all();
  other.join();
}
#endif

}  // namespace
}  // namespace gmr::test
