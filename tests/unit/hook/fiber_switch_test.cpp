// The hook's own switches beside Boost's: contexts that one leaves are gone to by the other.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <cfenv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string_view>
#include <thread>

#include "fiber_listing.hpp"
#include "hook/fiber/fiber_hook.hpp"
#include "support/in_child.hpp"

namespace gmr::test {

using trace::fcontext_t;
using trace::transfer_t;

// Boost.Context's functions by both of their names, whichever this Boost's headers declare.
#define GMR_TEXT_OF(name) #name
#define GMR_TEXT(name) GMR_TEXT_OF(name)
fcontext_t c_make(void*, std::size_t, void (*)(transfer_t)) asm(GMR_TEXT(GMR_MAKE));
transfer_t c_jump(fcontext_t, void*) asm(GMR_TEXT(GMR_JUMP));
transfer_t c_ontop(fcontext_t, void*, transfer_t (*)(transfer_t)) asm(GMR_TEXT(GMR_ONTOP));
fcontext_t cxx_make(void*, std::size_t, void (*)(transfer_t)) asm(GMR_TEXT(GMR_MAKE_CXX));
transfer_t cxx_jump(fcontext_t, void*) asm(GMR_TEXT(GMR_JUMP_CXX));
transfer_t cxx_ontop(fcontext_t, void*, transfer_t (*)(transfer_t)) asm(GMR_TEXT(GMR_ONTOP_CXX));
#undef GMR_TEXT
#undef GMR_TEXT_OF

namespace {

namespace context = boost::context;

// Boost itself rather than unknown_boost.cpp.
bool is_before_boost() {
  Dl_info module{};
  return dladdr(reinterpret_cast<void*>(gmr_original_jump), &module) != 0 &&
         std::string_view{module.dli_fname}.find("unknown_boost") == std::string_view::npos;
}

TEST(FiberSwitch, IsDoneInPlaceWhereBoostsIsKnown) {
  ASSERT_TRUE(trace::set_up_fiber_hook());
#if defined(__x86_64__)
  EXPECT_EQ(gmr_fiber_switches_are_known, is_before_boost());
#else
  EXPECT_FALSE(gmr_fiber_switches_are_known);
#endif
}

// As a program has it that has shut itself off, and runs what is told after that.
void run_without_reading_processes(const char* test) {
  sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(instructions), instructions};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
  execl("/proc/self/exe", "fiber_test", test, nullptr);
  FAIL() << "could not be run again";
}

TEST(FiberSwitch, DoesWithoutSystemCallsThatAProgramMayHaveForbidden) {
  in_child([] {
    run_without_reading_processes("--gtest_filter=FiberSwitch.IsDoneInPlaceWhereBoostsIsKnown");
  });
}

// What each side goes on with, and what is on top of either.
struct ways {
  trace::jump_function callers_jump;
  trace::jump_function fibers_jump;
  trace::ontop_function callers_ontop;
  trace::ontop_function fibers_ontop;
};

struct conversation {
  ways how;
  std::intptr_t sum = 0;  // of what the fiber was given
  int misaligned = 0;     // frames of functions that ran on top
};

bool is_aligned(const void* frame) {
  return reinterpret_cast<std::uintptr_t>(frame) % 16 == 0;
}

// Hands through one more than it was given, and the caller's context as it is.
transfer_t add_one(transfer_t from) {
  auto* const talk = static_cast<conversation*>(from.data);
  if (!is_aligned(__builtin_frame_address(0))) ++talk->misaligned;
  ++talk->sum;
  return from;
}

transfer_t end(transfer_t) {
  return {nullptr, nullptr};
}

constexpr std::intptr_t turns = 100;

// Answers each number with the next; then, told so by null, ends as Boost's fibers do.
void body(transfer_t caller) {
  void* const first = caller.data;  // only at the end handed to a function on top again
  conversation& talk = **static_cast<conversation**>(first);
  caller = talk.how.fibers_jump(caller.fctx, nullptr);
  while (caller.data != nullptr) {
    const auto number = reinterpret_cast<std::intptr_t>(caller.data);
    if (caller.data == &talk) {  // a function ran on top
      caller = talk.how.fibers_ontop(caller.fctx, &talk, add_one);
      continue;
    }
    talk.sum += number;
    caller = talk.how.fibers_jump(caller.fctx, reinterpret_cast<void*>(number + 1));
  }
  context::detail::ontop_fcontext(caller.fctx, first, end);
}

// By the bits of `kind`.
ways chosen(int kind) {
  namespace detail = context::detail;
  const trace::jump_function jumps[] = {detail::jump_fcontext, gmr_original_jump};
  const trace::ontop_function ontops[] = {detail::ontop_fcontext, gmr_original_ontop};
  return {jumps[kind & 1], jumps[kind >> 1 & 1], ontops[kind >> 2 & 1], ontops[kind >> 3 & 1]};
}

// Whether the caller never goes past the hook.
bool is_followed(int kind) {
  return (kind & 0b101) == 0;
}

void talk_with_a_fiber(int kind) {
  conversation talk{.how = chosen(kind)};
  context::fixedsize_stack allocator;
  context::stack_context stack = allocator.allocate();
  transfer_t fiber{context::detail::make_fcontext(stack.sp, stack.size, body), nullptr};
  conversation* first = &talk;
  fiber = talk.how.callers_jump(fiber.fctx, &first);
  std::intptr_t expected = 0;
  for (std::intptr_t number = 1; number <= turns; ++number) {
    fiber = talk.how.callers_jump(fiber.fctx, reinterpret_cast<void*>(number));
    ASSERT_EQ(reinterpret_cast<std::intptr_t>(fiber.data), number + 1);
    fiber = talk.how.callers_ontop(fiber.fctx, &talk, add_one);
    ASSERT_EQ(fiber.data, &talk);
    if (is_followed(kind)) {
      ASSERT_EQ(gmr_this_thread->own.sequence.load() % 2, 1u) << "this stack runs";
    }
    expected += number + 2;  // one on top of the fiber, one on top of us
  }
  EXPECT_EQ(talk.sum, expected);
  EXPECT_EQ(talk.misaligned, 0);
  context::detail::jump_fcontext(fiber.fctx, nullptr);
  allocator.deallocate(stack);
}

struct named_functions {
  trace::make_function make;
  trace::jump_function jump;
  trace::ontop_function ontop;
};

const named_functions both[] = {{c_make, c_jump, c_ontop}, {cxx_make, cxx_jump, cxx_ontop}};

// Waits once, then ends on top of its caller by the functions it is given.
void wait_and_end(transfer_t caller) {
  void* const first = caller.data;
  const auto& names = *static_cast<const named_functions*>(first);
  caller = names.jump(caller.fctx, nullptr);
  names.ontop(caller.fctx, first, end);
}

class FiberSwitchNames : public testing::TestWithParam<int> {};

TEST_P(FiberSwitchNames, AllReachTheHook) {
  const named_functions& ours = both[GetParam() & 1];
  named_functions its = both[GetParam() >> 1];
  context::fixedsize_stack allocator;
  context::stack_context stack = allocator.allocate();
  transfer_t fiber{ours.make(stack.sp, stack.size, wait_and_end), nullptr};
  fiber = ours.jump(fiber.fctx, &its);
  const listing seen = list_fibers();
  ASSERT_EQ(seen.fibers.size(), 1u);
  EXPECT_TRUE(seen.fibers.front().is_suspended());
  EXPECT_TRUE(seen.fibers.front().contains(
      reinterpret_cast<void*>(seen.fibers.front().stack.registers.sp)));
  ours.jump(fiber.fctx, nullptr);
  EXPECT_TRUE(list_fibers().fibers.empty());
  allocator.deallocate(stack);
}

INSTANTIATE_TEST_SUITE_P(CAndCxx, FiberSwitchNames, testing::Range(0, 4));

class FiberSwitchWays : public testing::TestWithParam<int> {};

// In a process of its own: who goes past the hook is not followed, and what was told of him stays.
TEST_P(FiberSwitchWays, CarryDataAndRunFunctionsOnTop) {
  ASSERT_TRUE(trace::set_up_fiber_hook());
  in_child([] {
    std::thread{talk_with_a_fiber, GetParam()}.join();  // its first switch is the caller's
    if (GetParam() == 0) {
      EXPECT_TRUE(list_fibers().fibers.empty());
    }
  });
}

// ThreadSanitizer must be told of every switch, and Boost's own tell nobody.
#if defined(__SANITIZE_THREAD__)
constexpr int kinds_of_ways = 1;
#else
constexpr int kinds_of_ways = 16;
#endif
INSTANTIATE_TEST_SUITE_P(OursAndBoosts, FiberSwitchWays, testing::Range(0, kinds_of_ways));

// On arm64 Boost's switch leaves such words alone.
#if defined(__x86_64__)

// Control words of the fiber's own, there and back again.
void expect_own_control_words(const std::function<void()>& change,
                              const std::function<std::uint32_t()>& read, bool on_top) {
  const std::uint32_t ours = read();
  std::uint32_t within = 0;
  std::uint32_t later = 0;
  context::fiber fiber{[&](context::fiber&& caller) {
    change();
    within = read();
    caller = std::move(caller).resume();
    later = read();
    return std::move(caller);
  }};
  fiber = std::move(fiber).resume();
  EXPECT_EQ(read(), ours);
  EXPECT_NE(within, ours);
  if (on_top)
    fiber = std::move(fiber).resume_with([&](context::fiber&& from) {
      EXPECT_EQ(read(), within);
      return std::move(from);
    });
  else
    fiber = std::move(fiber).resume();
  EXPECT_EQ(later, within);
  EXPECT_EQ(read(), ours);
  EXPECT_FALSE(fiber);
}

class FiberSwitchControl : public testing::TestWithParam<bool> {};

TEST_P(FiberSwitchControl, RoundingIsEachStacksOwn) {
  expect_own_control_words([] { std::fesetround(FE_UPWARD); },
                           [] { return static_cast<std::uint32_t>(std::fegetround()); },
                           GetParam());
}

std::uint32_t read_mxcsr() {
  std::uint32_t word = 0;
  asm volatile("stmxcsr %0" : "=m"(word));
  return word;
}

std::uint32_t read_x87() {
  std::uint16_t word = 0;
  asm volatile("fnstcw %0" : "=m"(word));
  return word;
}

TEST_P(FiberSwitchControl, OnlyThatOfSseDiffers) {
  expect_own_control_words(
      [] {
        const std::uint32_t flushes_to_zero = read_mxcsr() | 0x8000;
        asm volatile("ldmxcsr %0" : : "m"(flushes_to_zero));
      },
      read_mxcsr, GetParam());
}

TEST_P(FiberSwitchControl, OnlyThatOfTheX87Differs) {
  expect_own_control_words(
      [] {
        const auto rounds_down = static_cast<std::uint16_t>(read_x87() | 0x0400);
        asm volatile("fldcw %0" : : "m"(rounds_down));
      },
      read_x87, GetParam());
}

INSTANTIATE_TEST_SUITE_P(JumpAndOnTop, FiberSwitchControl, testing::Bool());

#endif

}  // namespace
}  // namespace gmr::test
