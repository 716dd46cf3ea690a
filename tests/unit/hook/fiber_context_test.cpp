// boost::context::fiber and Boost.Coroutine2, unchanged, seen through the fiber source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <boost/coroutine2/coroutine.hpp>
#include <ctime>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "fiber_listing.hpp"
#include "hook/fiber/fiber_self_test.hpp"
#include "support/in_child.hpp"

namespace gmr::test {
namespace {

namespace context = boost::context;

std::uint64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(now.tv_nsec);
}

TEST(FiberSource, IsRegisteredAndWorks) {
  std::string_view problem = "no source";
  with_fiber_source([&](scheduler& source) { problem = source.problem(); });
  EXPECT_EQ(problem, "");
}

#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // which need more address space
TEST(FiberSource, DoesNotTakeMissingMemoryForAMissingHook) {
  in_child([] {
    const rlimit none{0, 0};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &none), 0);
    EXPECT_EQ(trace::test_fiber_hook(),
              "whether fibers are traced is not known: there was no memory to try it with one");
  });
}
#endif

TEST(FiberSource, ListsNothingWithoutFibers) {
  EXPECT_TRUE(list_fibers().fibers.empty());
  EXPECT_TRUE(list_fibers().own_stacks.empty());
}

TEST(FiberSource, ShowsASuspendedFiberOnItsStack) {
  const int* local = nullptr;
  const std::uint64_t before = monotonic_now();
  context::fiber fiber{[&](context::fiber&& caller) {
    int here = 0;
    local = &here;
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  const std::uint64_t after = monotonic_now();

  const listing seen = list_fibers();
  ASSERT_EQ(seen.fibers.size(), 1u);
  const listed_fiber& shown = seen.fibers.front();
  EXPECT_EQ(shown.kind, green_thread_kind::fiber);
  EXPECT_EQ(shown.state, green_thread_state::suspended);
  EXPECT_EQ(shown.thread, 0);
  EXPECT_NE(shown.id, 0u);
  EXPECT_TRUE(shown.contains(local));
  EXPECT_TRUE(shown.contains(reinterpret_cast<const void*>(shown.stack.registers.sp)));
  EXPECT_LT(shown.stack.registers.sp, reinterpret_cast<std::uintptr_t>(local));
  EXPECT_NE(shown.stack.registers.pc, 0u);
  EXPECT_EQ(shown.sequence->load(), shown.sequence_seen);
  // Generous: the coarse clock has steps of up to 10 ms.
  EXPECT_GE(shown.suspended_at, before - 20'000'000);
  EXPECT_LE(shown.suspended_at, after + 20'000'000);

  fiber = std::move(fiber).resume();
  EXPECT_NE(shown.sequence->load(), shown.sequence_seen);
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(FiberSource, ShowsTheRunningFiberWithItsThread) {
  listing within;
  context::fiber fiber{[&](context::fiber&& caller) {
    within = list_fibers();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  ASSERT_EQ(within.fibers.size(), 1u);
  EXPECT_EQ(within.fibers.front().state, green_thread_state::running);
  EXPECT_EQ(within.fibers.front().thread, gettid());
  EXPECT_EQ(within.fibers.front().sequence, nullptr);
}

TEST(FiberSource, ShowsTheOwnStackOfAThreadThatRunsAFiber) {
  listing within;
  context::fiber fiber{[&](context::fiber&& caller) {
    within = list_fibers();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  ASSERT_EQ(within.own_stacks.size(), 1u);
  const listed_fiber& own = within.own_stacks.front();
  EXPECT_EQ(own.name, "own stack of thread " + std::to_string(gettid()));
  EXPECT_TRUE(own.is_suspended());
  EXPECT_TRUE(own.contains(reinterpret_cast<const void*>(own.stack.registers.sp)));
  EXPECT_TRUE(own.contains(__builtin_frame_address(0)));
  EXPECT_EQ(own.suspended_at, 0U);  // not known: see docs/report.md
}

TEST(FiberSource, StateMovesWithNestedResumes) {
  std::vector<std::size_t> suspended;
  std::vector<std::size_t> all;
  const auto look = [&] {
    const listing seen = list_fibers();
    suspended.push_back(seen.suspended().size());
    all.push_back(seen.fibers.size());
  };
  context::fiber outer{[&](context::fiber&& caller) {
    context::fiber inner{[&](context::fiber&& middle) {
      look();  // outer is suspended in its resume of inner
      middle = std::move(middle).resume();
      return std::move(middle);
    }};
    inner = std::move(inner).resume();
    look();  // inner is suspended
    inner = std::move(inner).resume();
    look();  // inner has ended
    return std::move(caller);
  }};
  outer = std::move(outer).resume();
  look();
  EXPECT_THAT(suspended, ::testing::ElementsAre(1u, 1u, 0u, 0u));
  EXPECT_THAT(all, ::testing::ElementsAre(2u, 2u, 1u, 0u));
}

template <class Stack>
class FiberStacks : public ::testing::Test {};
using stack_kinds = ::testing::Types<context::fixedsize_stack, context::protected_fixedsize_stack,
                                     context::pooled_fixedsize_stack>;
TYPED_TEST_SUITE(FiberStacks, stack_kinds);

TYPED_TEST(FiberStacks, AllAreListedAndAllVanish) {
  constexpr int count = 50;
  TypeParam stacks{64 * 1024};
  for (int round = 0; round < 3; ++round) {
    std::vector<context::fiber> fibers;
    std::vector<const void*> locals;
    for (int i = 0; i < count; ++i) {
      fibers.emplace_back(std::allocator_arg, stacks, [&](context::fiber&& caller) {
        int here = 0;
        locals.push_back(&here);
        caller = std::move(caller).resume();
        return std::move(caller);
      });
      fibers.back() = std::move(fibers.back()).resume();
    }
    const listing seen = list_fibers();
    EXPECT_EQ(seen.suspended().size(), count);
    std::set<std::uint64_t> ids;
    for (const void* local : locals) {
      const listed_fiber* const fiber = seen.on_stack_of(local);
      ASSERT_NE(fiber, nullptr);
      ids.insert(fiber->id);
    }
    EXPECT_EQ(ids.size(), count);
    // Half of them run to their end, half are unwound.
    for (int i = 0; i < count / 2; ++i)
      fibers[static_cast<std::size_t>(i)] = std::move(fibers[static_cast<std::size_t>(i)]).resume();
    EXPECT_EQ(list_fibers().fibers.size(), count / 2);
    fibers.clear();
    EXPECT_TRUE(list_fibers().fibers.empty());
  }
}

TEST(FiberSource, ForcedUnwindRunsDestructorsAndEndsTheFiber) {
  bool destroyed = false;
  struct guard {
    bool& flag;
    ~guard() { flag = true; }
  };
  {
    context::fiber fiber{[&](context::fiber&& caller) {
      const guard sentry{destroyed};
      caller = std::move(caller).resume();
      return std::move(caller);
    }};
    fiber = std::move(fiber).resume();
    EXPECT_EQ(list_fibers().fibers.size(), 1u);
  }
  EXPECT_TRUE(destroyed);
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(FiberSource, ExceptionThrownOnTopLeavesTheStateRight) {
  std::string caught;
  std::size_t running_in_function = 0;
  context::fiber fiber{[&](context::fiber&& caller) {
    try {
      caller = std::move(caller).resume();
    } catch (const std::pair<std::string, context::fiber*>& thrown) {
      caught = thrown.first;
      caller = std::move(*thrown.second);
    }
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  context::fiber back;
  fiber = std::move(fiber).resume_with([&](context::fiber&& from) -> context::fiber {
    const listing seen = list_fibers();
    running_in_function = seen.fibers.size() - seen.suspended().size();
    back = std::move(from);
    throw std::pair<std::string, context::fiber*>{"on top", &back};
  });
  EXPECT_EQ(caught, "on top");
  EXPECT_EQ(running_in_function, 1u);
  EXPECT_EQ(list_fibers().suspended().size(), 1u);
  fiber = std::move(fiber).resume();
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(FiberSource, FunctionOnTopRunsAsTheFiberItInterrupts) {
  pid_t runner = 0;
  context::fiber fiber{[&](context::fiber&& caller) {
    caller = std::move(caller).resume();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  fiber = std::move(fiber).resume_with([&](context::fiber&& from) {
    const listing seen = list_fibers();
    if (seen.fibers.size() == 1) runner = seen.fibers.front().thread;
    return std::move(from);
  });
  EXPECT_EQ(runner, gettid());
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(FiberSource, FollowsAFiberFromThreadToThread) {
  std::vector<pid_t> reported;
  context::fiber fiber{[&](context::fiber&& caller) {
    for (int i = 0; i < 2; ++i) {
      reported.push_back(list_fibers().fibers.front().thread);
      caller = std::move(caller).resume();
    }
    return std::move(caller);
  }};
  std::vector<pid_t> expected;
  const auto go_on = [&] {
    expected.push_back(gettid());
    fiber = std::move(fiber).resume();
  };
  std::thread{go_on}.join();
  const auto before = list_fibers();
  std::thread{go_on}.join();
  const auto after = list_fibers();
  EXPECT_EQ(reported, expected);
  ASSERT_EQ(before.fibers.size(), 1u);
  ASSERT_EQ(after.fibers.size(), 1u);
  EXPECT_EQ(before.fibers.front().id, after.fibers.front().id);
  EXPECT_NE(before.fibers.front().sequence_seen, after.fibers.front().sequence_seen);
  go_on();
  EXPECT_TRUE(list_fibers().fibers.empty());
}

TEST(FiberSource, ListsCoroutine2) {
  using coroutine = boost::coroutines2::coroutine<int>;
  {
    coroutine::pull_type numbers{[](coroutine::push_type& yield) {
      for (int i = 0; i < 3; ++i)
        yield(i);
    }};
    EXPECT_EQ(numbers.get(), 0);
    EXPECT_EQ(list_fibers().suspended().size(), 1u);
    numbers();
    EXPECT_EQ(numbers.get(), 1);
    EXPECT_EQ(list_fibers().suspended().size(), 1u);
  }
  EXPECT_TRUE(list_fibers().fibers.empty());
}

}  // namespace
}  // namespace gmr::test
