// Captures of threads whose stack pointer is not on a thread's stack.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include "guarded_stack.hpp"
#include "stack_check.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

namespace context = boost::context;
using testing::capture_all;
using testing::captures_of_a_hazard;
using testing::find;
using testing::guarded_stack;
using testing::pipe_ends;
using testing::small_stack;
using testing::stack_checker;
using testing::test_thread;
using testing::wait_until;
using testing::with_little_left;

// For Boost.Context: gives out one guarded_stack.
struct guarded_allocator {
  using traits_type = context::stack_traits;
  context::stack_context allocate() const {
    context::stack_context made;
    made.size = small_stack;
    made.sp = stack->low() + small_stack;
    return made;
  }
  void deallocate(context::stack_context&) const noexcept {}
  guarded_stack* stack;
};

TEST(FiberHazards, ThreadsThatSwitch) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  const auto body = [&] {
    context::fiber other{[&](context::fiber&& caller) {
      auto back = [&] { caller = std::move(caller).resume(); };
      testing::known::repeat(back, stop, acts);
      return std::move(caller);
    }};
    auto there = [&] { other = std::move(other).resume(); };
    testing::known::repeat(there, stop, acts);
    while (other)
      other = std::move(other).resume();
  };
  const auto end = [&] { stop = true; };
  test_thread one{body, end};
  test_thread two{body, end};
  stack_checker checker{{}};
  for (int i = 0; i < captures_of_a_hazard(); i += 2) {
    checker.capture();
    checker.judge(one.id());
    checker.judge(two.id());
  }
  checker.print("switch fibers");
#if defined(__x86_64__)
  EXPECT_GE(checker.result().right, checker.result().all() * 97 / 100);
#else
  // Boost's own jump has no unwind information: who is in it is cut short there, and says so.
  EXPECT_GE(checker.result().right, checker.result().all() / 4);
#endif
}

TEST(FiberHazards, SmallFiberStacksFromMallocWithAKilobyteLeft) {
  guarded_stack memory;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  {
    test_thread thread{[&] {
                         context::fiber fiber{std::allocator_arg, guarded_allocator{&memory},
                                              [&](context::fiber&& caller) {
                                                with_little_left(memory, [&] {
                                                  auto act = [] {
                                                    asm volatile("" : : : "memory");
                                                  };
                                                  testing::known::repeat(act, stop, acts);
                                                });
                                                return std::move(caller);
                                              }};
                         fiber = std::move(fiber).resume();
                       },
                       [&] { stop = true; }};
    wait_until([&] { return acts > 0; });
    stack_checker checker{{}};
    for (int i = 0; i < captures_of_a_hazard(); ++i) {
      checker.capture();
      checker.judge(thread.id());
    }
    checker.print("16 KiB fiber stacks");
    EXPECT_GE(checker.result().right, checker.result().all() * 97 / 100);
  }
  EXPECT_TRUE(memory.intact());
}

// Stacks that are switched behind our back: no alternate stack, and what lies below the stack
// pointer is somebody else's memory, although it can be written.
TEST(FiberHazards, AThreadOnAStackThatIsNotItsOwnIsNotSignalled) {
  guarded_stack memory;
  syscall(SYS_getpid);  // the first call looks it up, which takes more stack than will be left
  // Past the hook, which would know the stack.
  void* const libc = ::dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
  ASSERT_NE(libc, nullptr);
  const auto make = reinterpret_cast<decltype(&makecontext)>(::dlsym(libc, "makecontext"));
  const auto swap = reinterpret_cast<decltype(&swapcontext)>(::dlsym(libc, "swapcontext"));
  {
    pipe_ends pipe;
    static thread_local std::function<void()> run;
    test_thread thread{[&] {
                         ucontext_t back;
                         ucontext_t there;
                         getcontext(&there);
                         there.uc_stack.ss_sp = memory.low();
                         there.uc_stack.ss_size = small_stack;
                         there.uc_link = &back;
                         run = [&] {
                           with_little_left(memory, [&] {
                             char byte = 0;
                             syscall(SYS_read, pipe.ends[0], &byte, 1);
                           });
                         };
                         make(&there, [] { run(); }, 0);
                         swap(&back, &there);
                       },
                       [&] { pipe.write_byte(); }};
    thread.wait_blocked_in(SYS_read);
    thread_capturer capturer{{}};  // without technique 5 only a signal would do
    for (int i = 0; i < 100; ++i) {
      const auto* found = find(capture_all(capturer), thread.id());
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
      EXPECT_THAT(found->note, ::testing::HasSubstr("it is on another stack than its own"));
    }
  }
  EXPECT_TRUE(memory.intact());
}

}  // namespace
}  // namespace gmr::capture
