// A signal is never sent to a thread that has no room for it.
#include <gmock/gmock.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <span>

#include "backend.hpp"
#include "capture/thread_capturer.hpp"
#include "gmr/trace/enroll.hpp"
#include "hook/threads/alternate_stack.hpp"
#include "signal_frame.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::pipe_ends;
using testing::test_thread;
using testing::wait_until;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these need larger stacks
constexpr std::size_t small = 16384;

void* run(void* argument) {
  (*static_cast<std::function<void()>*>(argument))();
  return nullptr;
}

void start(pthread_t& thread, std::size_t stack_size, std::function<void()>& body) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack_size), 0);
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_attr_destroy(&attributes);
}

// A thread with a stack of 16 KiB, of which `used` are in use when it has `begun`.
void with_small_thread(std::size_t used, const std::function<void()>& begun,
                       const std::function<void(pid_t)>& use) {
  pipe_ends hold;
  std::atomic<pid_t> id = 0;
  std::function<void()> body = [&] {
    begun();
    auto* const room = static_cast<volatile char*>(__builtin_alloca(used));
    room[0] = 1;
    id = static_cast<pid_t>(syscall(SYS_gettid));
    char byte = 0;
    syscall(SYS_read, hold.ends[0], &byte, 1);
  };
  pthread_t thread{};
  start(thread, small, body);
  os::task_files files;
  wait_until([&] {
    const auto blocked = id != 0 ? files.blocked_in(id) : std::nullopt;
    return blocked && blocked->number == SYS_read;
  });
  use(id);
  hold.write_byte();
  pthread_join(thread, nullptr);
}

constexpr std::size_t nearly_all = 9 * 1024;

TEST(SmallStacks, AThreadWithTooLittleStackIsNotSignalled) {
  thread_capturer capturer{{}};
  with_small_thread(
      nearly_all, [] {},
      [&](pid_t id) {
        const auto* found = find(capture_all(capturer), id);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
        EXPECT_THAT(found->note, ::testing::HasSubstr("too little stack"));
      });
}

TEST(SmallStacks, AnAlternateStackOfTheProgramsMayBeGone) {
  std::vector<std::byte> memory(trace::alternate_stack_size());
  const auto scope = [&] {
    stack_t own{};
    own.ss_sp = memory.data();
    own.ss_size = memory.size();
    EXPECT_EQ(sigaltstack(&own, nullptr), 0);
    enroll_this_thread();
    own.ss_flags = SS_DISABLE;
    EXPECT_EQ(sigaltstack(&own, nullptr), 0);
  };
  thread_capturer capturer{{}};
  with_small_thread(nearly_all, scope, [&](pid_t id) {
    const auto* found = find(capture_all(capturer), id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
    EXPECT_THAT(found->note, ::testing::HasSubstr("may have taken away"));
  });
}

TEST(SmallStacks, WithAnAlternateStackItIs) {
  thread_capturer capturer{{}};
  with_small_thread(nearly_all, enroll_this_thread, [&](pid_t id) {
    const auto* found = find(capture_all(capturer), id);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
    EXPECT_TRUE(found->stack.full_registers);
  });
}

// A thread that runs on a stack of `size`, of which it uses `used` bytes and a little more.
void with_running_thread(std::size_t size, std::size_t used, const std::function<void()>& begun,
                         const std::function<void(pid_t)>& use) {
  std::atomic<bool> stop = false;
  std::atomic<pid_t> id = 0;
  std::function<void()> body = [&] {
    begun();
    auto* const room = static_cast<volatile char*>(__builtin_alloca(used));
    room[0] = 1;
    id = gettid();
    while (!stop) {
    }
  };
  pthread_t thread{};
  start(thread, size, body);
  wait_until([&] { return id != 0; });
  use(id);
  stop = true;
  pthread_join(thread, nullptr);
}

void expect_not_signalled(thread_capturer& capturer, pid_t id, const char* why) {
  const auto* found = find(capture_all(capturer), id);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
  EXPECT_THAT(found->note, ::testing::HasSubstr(why));
}

constexpr std::size_t large = std::size_t{256} * 1024;

TEST(SmallStacks, ARunningThreadIsNotSignalledWhenItMayBeAtTheEndOfItsStack) {
  thread_capturer capturer{{}};
  for (const std::size_t size : {small, large})
    with_running_thread(
        size, size - small + nearly_all, [] {},
        [&](pid_t id) { expect_not_signalled(capturer, id, "too little stack"); });
}

TEST(SmallStacks, ARunningThreadThatHasNeverBeenNearTheEndIsSignalled) {
  thread_capturer capturer{{}};
  with_running_thread(
      large, small, [] {},
      [&](pid_t id) {
        const auto* found = find(capture_all(capturer), id);
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
      });
}

TEST(SmallStacks, NorIsAThreadWhoseHandlerHasUsedUpItsAlternateStack) {
  thread_capturer capturer{{}};
  std::atomic<bool> stop = false;
  std::atomic<bool> inside = false;
  static std::function<void()> handle;
  handle = [&] {
    constexpr std::size_t left = 4096;
    auto* const room = static_cast<volatile char*>(
        __builtin_alloca(trace::alternate_stack_size() - getauxval(AT_MINSIGSTKSZ) - left));
    room[0] = 1;
    inside = true;
    while (!stop) {
    }
  };
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { handle(); };
  action.sa_flags = SA_ONSTACK;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  {
    test_thread thread{[] {
                         enroll_this_thread();
                         raise(SIGUSR1);
                       },
                       [&] { stop = true; }};
    wait_until([&] { return inside.load(); });
    expect_not_signalled(capturer, thread.id(), "too little of its alternate stack");
  }
  sigaction(SIGUSR1, &before, nullptr);
}

// Which alternate stacks the program's threads have nobody knows.
TEST(SmallStacks, AThreadThatWaitsOnAnAlternateStackOfItsOwnIsSaidToBeThere) {
  thread_capturer capturer{{}};
  static pipe_ends* hold = nullptr;
  pipe_ends ends;
  hold = &ends;
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) {
    char byte = 0;
    syscall(SYS_read, hold->ends[0], &byte, 1);
  };
  action.sa_flags = SA_ONSTACK;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::vector<std::byte> memory(trace::alternate_stack_size());
  {
    test_thread thread{[&] {
                         stack_t own{};
                         own.ss_sp = memory.data();
                         own.ss_size = memory.size();
                         EXPECT_EQ(sigaltstack(&own, nullptr), 0);
                         raise(SIGUSR1);
                         own.ss_flags = SS_DISABLE;
                         sigaltstack(&own, nullptr);
                       },
                       [&] { ends.write_byte(); }};
    thread.wait_blocked_in(SYS_read);
    expect_not_signalled(capturer, thread.id(), "it is on another stack than its own");
  }
  sigaction(SIGUSR1, &before, nullptr);
}

#if defined(__x86_64__)
[[gnu::noinline]] void spin_with_stack_pointer(std::uintptr_t sp, const std::atomic<bool>& stop) {
  asm volatile(
      "movq %%rsp, %%rbx\n"
      "movq %[sp], %%rsp\n"
      "1: cmpb $0, (%[stop])\n"
      "je 1b\n"
      "movq %%rbx, %%rsp"
      :
      : [sp] "r"(sp), [stop] "r"(&stop)
      : "rbx", "cc", "memory");
}

// Stacks are said to begin with their guard page, and a function that has reserved more than it
// uses has its stack pointer there.
TEST(SmallStacks, AStackPointerInAGuardPageDoesNoHarm) {
  if (testing::threads_walk)
    GTEST_SKIP() << "to walk, the handler needs frames as the compiler describes them";
  constexpr std::size_t size = std::size_t{256} << 10;
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(memory, 4096, PROT_NONE), 0);
  std::atomic<pid_t> id = 0;
  std::atomic<bool> stop = false;
  std::function<void()> body = [&] {
    enroll_this_thread();
    id = static_cast<pid_t>(syscall(SYS_gettid));
    spin_with_stack_pointer(reinterpret_cast<std::uintptr_t>(memory) + 2048, stop);
  };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstack(&attributes, memory, size), 0);
  pthread_t thread{};
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &body), 0);
  pthread_attr_destroy(&attributes);
  wait_until([&] { return id != 0; });
  thread_capturer capturer{{}};
  for (int i = 0; i < 100; ++i)
    EXPECT_NE(find(capture_all(capturer), id), nullptr);
  stop = true;
  pthread_join(thread, nullptr);
  munmap(memory, size);
}
#endif

// Of alternate stacks that a program has set itself nobody knows. The kernel sees to its own frame.
TEST(SmallStacks, TheHandlerLeavesAnAlternateStackThatIsTooSmallForIt) {
  constexpr std::size_t guard = 4096;
  constexpr std::byte pattern{0xa5};
  const std::size_t size = testing::tight_alternate_stack(256);
  std::vector<std::byte> memory(guard + size, pattern);
  std::atomic<bool> stop = false;
  std::atomic<bool> ready = false;
  thread_capturer capturer{{}};
  {
    test_thread thread{[&] {
                         stack_t tiny{};
                         tiny.ss_sp = memory.data() + guard;
                         tiny.ss_size = size;
                         EXPECT_EQ(sigaltstack(&tiny, nullptr), 0);
                         ready = true;
                         while (!stop) {
                         }
                       },
                       [&] { stop = true; }};
    wait_until([&] { return ready.load(); });
    expect_not_signalled(capturer, thread.id(), "too little of its alternate stack");
  }
  EXPECT_THAT(std::span(memory).first(guard), ::testing::Each(pattern));
}
#endif

}  // namespace
}  // namespace gmr::capture
