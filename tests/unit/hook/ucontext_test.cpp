// Contexts of the C library: makecontext, swapcontext, setcontext, getcontext.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "capture/green_threads.hpp"
#include "fiber_listing.hpp"

namespace gmr::test {
namespace {

constexpr std::size_t stack_size = 256 * 1024;

// A stack of its own, unmapped at the end.
class mapped_stack {
 public:
  mapped_stack()
      : low_(::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0)) {}
  ~mapped_stack() { ::munmap(low_, stack_size); }
  mapped_stack(const mapped_stack&) = delete;
  mapped_stack& operator=(const mapped_stack&) = delete;
  [[nodiscard]] void* low() const { return low_; }

 private:
  void* low_;
};

const listed_fiber* find(const listing& all, std::uint64_t id) {
  const auto found = std::ranges::find(all.fibers, id, &listed_fiber::id);
  return found == all.fibers.end() ? nullptr : &*found;
}

// Two contexts, one of which was made, that go to and fro.
struct pair_of_contexts {
  ucontext_t main{};
  ucontext_t made{};
  int steps = 0;
  const void* local = nullptr;
  std::optional<listing> seen_within;
};
pair_of_contexts* now = nullptr;

void step_twice() {
  int local = 0;
  pair_of_contexts& contexts = *now;
  contexts.local = &local;
  contexts.steps = 1;
  ::swapcontext(&contexts.made, &contexts.main);
  contexts.seen_within = list_fibers();
  contexts.steps = 2;
  ::swapcontext(&contexts.made, &contexts.main);
  contexts.steps = 3;
}

void make(pair_of_contexts& contexts, void* low, void (*function)() = step_twice) {
  now = &contexts;
  ASSERT_EQ(::getcontext(&contexts.made), 0);
  contexts.made.uc_stack.ss_sp = low;
  contexts.made.uc_stack.ss_size = stack_size;
  contexts.made.uc_link = &contexts.main;
  ::makecontext(&contexts.made, function, 0);
  EXPECT_EQ(contexts.made.uc_stack.ss_size, stack_size);
}

void go(pair_of_contexts& contexts) {
  ::swapcontext(&contexts.main, &contexts.made);
}

TEST(Ucontext, IsListedWhileItWaitsAndGoneAtItsEnd) {
  const mapped_stack stack;
  pair_of_contexts contexts;
  make(contexts, stack.low());
  const auto all_fresh = list_fibers();
  const listed_fiber* const fresh = all_fresh.on_stack_of(stack.low());
  ASSERT_NE(fresh, nullptr);
  EXPECT_TRUE(fresh->is_suspended());
  EXPECT_EQ(fresh->stack.registers.pc, reinterpret_cast<std::uintptr_t>(step_twice));

  go(contexts);
  const auto waiting = list_fibers();
  const listed_fiber* const fiber = waiting.on_stack_of(contexts.local);
  ASSERT_NE(fiber, nullptr);
  EXPECT_TRUE(fiber->is_suspended());
  EXPECT_EQ(fiber->id, fresh->id);
  EXPECT_NE(fiber->suspended_at, 0U);
  EXPECT_TRUE(fiber->contains(reinterpret_cast<const void*>(fiber->stack.registers.sp)));
  EXPECT_TRUE(waiting.own_stacks.empty());

  go(contexts);
  ASSERT_TRUE(contexts.seen_within);
  const listed_fiber* const running = find(*contexts.seen_within, fresh->id);
  ASSERT_NE(running, nullptr);
  EXPECT_FALSE(running->is_suspended());
  EXPECT_EQ(running->thread, ::gettid());
  ASSERT_EQ(contexts.seen_within->own_stacks.size(), 1U);
  EXPECT_EQ(running->parent, contexts.seen_within->own_stacks[0].id);

  go(contexts);  // its function returns
  EXPECT_EQ(contexts.steps, 3);
  EXPECT_EQ(find(list_fibers(), fresh->id), nullptr);
  EXPECT_TRUE(list_fibers().own_stacks.empty());
}

std::array<long, 8> taken{};

void takes_many(int a, int b, int c, int d, int e, int f, int g, int h) {
  taken = {a, b, c, d, e, f, g, h};
}

TEST(Ucontext, TakesItsArguments) {
  const mapped_stack stack;
  pair_of_contexts contexts;
  ASSERT_EQ(::getcontext(&contexts.made), 0);
  contexts.made.uc_stack.ss_sp = stack.low();
  contexts.made.uc_stack.ss_size = stack_size;
  contexts.made.uc_link = &contexts.main;
  ::makecontext(&contexts.made, reinterpret_cast<void (*)()>(takes_many), 8, 1, -2, 3, 4, 5, 6, 7,
                8);
  go(contexts);
  EXPECT_EQ(taken, (std::array<long, 8>{1, -2, 3, 4, 5, 6, 7, 8}));
}

// Fibers, as a report has them: those that are gone are left out when their stacks are copied.
std::size_t count_in_report() {
  using namespace std::chrono_literals;
  capture::green_thread_capture all{
      {.stack_bytes = 65536, .deadline = std::chrono::steady_clock::now() + 60s}};
  std::size_t count = 0;
  for (auto batch = all.next(); !batch.empty(); batch = all.next())
    count += static_cast<std::size_t>(std::ranges::count_if(batch, [](const auto& each) {
      return each.view.kind == green_thread_kind::fiber &&
             !each.view.name.starts_with("own stack of thread");
    }));
  return count;
}

TEST(Ucontext, IsGoneWhenItsStackIsUnmapped) {
  const std::size_t before = count_in_report();
  auto stack = std::make_unique<mapped_stack>();
  pair_of_contexts contexts;
  make(contexts, stack->low());
  go(contexts);
  EXPECT_EQ(count_in_report(), before + 1);
  stack.reset();
  EXPECT_EQ(count_in_report(), before);
}

TEST(Ucontext, IsGoneWhenItsStackIsUsedAgain) {
  const mapped_stack stack;
  const std::size_t before = count_in_report();
  pair_of_contexts first;
  make(first, stack.low());
  go(first);
  pair_of_contexts second;
  make(second, stack.low());
  EXPECT_EQ(count_in_report(), before + 1);
  go(second);
  go(second);
  go(second);
  EXPECT_EQ(count_in_report(), before);
}

TEST(Ucontext, IsGoneWhenItsStackIsFreed) {
  const std::size_t before = count_in_report();
  const auto other = std::make_unique<char[]>(stack_size / 2);
  void* const stack = std::malloc(stack_size / 4);
  const auto last = std::make_unique<char[]>(stack_size / 4);
  pair_of_contexts contexts;
  now = &contexts;
  ASSERT_EQ(::getcontext(&contexts.made), 0);
  contexts.made.uc_stack.ss_sp = stack;
  contexts.made.uc_stack.ss_size = stack_size / 4;
  contexts.made.uc_link = nullptr;
  ::makecontext(&contexts.made, step_twice, 0);
  go(contexts);
  EXPECT_EQ(count_in_report(), before + 1);
  std::free(stack);
  EXPECT_EQ(count_in_report(), before);
}

// Leaves by setcontext to where getcontext was called on the thread's own stack.
void leave_for_good() {
  now->steps = 1;
  ::setcontext(&now->main);
}

TEST(Ucontext, LeftForGoodIsNeverSaidToRun) {
  auto stack = std::make_unique<mapped_stack>();
  const std::size_t before = count_in_report();
  pair_of_contexts contexts;
  make(contexts, stack->low(), leave_for_good);
  volatile bool left = false;
  ASSERT_EQ(::getcontext(&contexts.main), 0);
  if (!left) {
    left = true;
    ::setcontext(&contexts.made);
  }
  EXPECT_EQ(contexts.steps, 1);
  const auto seen = list_fibers();
  for (const listed_fiber& each : seen.fibers)
    EXPECT_TRUE(each.is_suspended());
  EXPECT_TRUE(seen.own_stacks.empty());
  stack.reset();
  EXPECT_EQ(count_in_report(), before);
}

// From fiber to fiber, as a scheduler without a loop of its own does it.
ucontext_t ring[3];
ucontext_t home;
std::optional<listing> around;

void pass_on(int index) {
  for (int round = 0; round < 2; ++round) {
    if (round == 1 && index == 2) around = list_fibers();
    if (round == 1 && index == 2) ::swapcontext(&ring[index], &home);
    ::swapcontext(&ring[index], &ring[(index + 1) % 3]);
  }
}

TEST(Ucontext, IsNotResumedByAnotherThatOnlyCameBefore) {
  const std::array<mapped_stack, 3> stacks;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::getcontext(&ring[i]), 0);
    ring[i].uc_stack.ss_sp = stacks[static_cast<std::size_t>(i)].low();
    ring[i].uc_stack.ss_size = stack_size;
    ring[i].uc_link = &home;
    ::makecontext(&ring[i], reinterpret_cast<void (*)()>(pass_on), 1, i);
  }
  ::swapcontext(&home, &ring[0]);
  ASSERT_TRUE(around);
  for (const std::size_t waiting : {0, 1}) {
    const listed_fiber* const fiber = around->on_stack_of(stacks[waiting].low());
    ASSERT_NE(fiber, nullptr);
    EXPECT_EQ(fiber->parent, 0U);
  }
}

// A context may go on in another thread.
TEST(Ucontext, GoesOnInAnotherThread) {
  const mapped_stack stack;
  pair_of_contexts contexts;
  make(contexts, stack.low());
  go(contexts);
  const std::uint64_t id = list_fibers().on_stack_of(stack.low())->id;
  pid_t tid = 0;
  std::thread other{[&] {
    tid = ::gettid();
    go(contexts);
    go(contexts);  // its function returns
  }};
  other.join();
  ASSERT_TRUE(contexts.seen_within);
  const listed_fiber* const running = find(*contexts.seen_within, id);
  ASSERT_NE(running, nullptr);
  EXPECT_EQ(running->thread, tid);
  EXPECT_EQ(contexts.steps, 3);
  EXPECT_EQ(find(list_fibers(), id), nullptr);
}

}  // namespace
}  // namespace gmr::test
