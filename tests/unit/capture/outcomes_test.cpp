// Every thread gets an outcome, whatever it is doing.
#include <gmock/gmock.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <mutex>

#include "backend.hpp"
#include "capture/thread_capturer.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::holds;
using testing::pipe_ends;
using testing::test_thread;
using testing::wait_until;
using testing::with_marker;

constexpr std::uint64_t marker = 0x5ca1ab1e0ddba11;

TEST(Outcomes, ABlockedThreadIsCapturedWithItsStack) {
  pipe_ends pipe;
  ssize_t got = 0;
  test_thread reader{[&] {
                       with_marker(marker, [&] {
                         char byte = 0;
                         got = read(pipe.ends[0], &byte, 1);
                       });
                     },
                     [&] { pipe.write_byte(); }};
  reader.wait_blocked_in(SYS_read);
  thread_capturer capturer{{}};
  const auto& threads = capture_all(capturer);
  const auto* found = find(threads, reader.id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::ok) << found->note;
  EXPECT_EQ(found->state, 'S');
  EXPECT_TRUE(found->stack.full_registers);
  EXPECT_FALSE(found->is_reporter);
  ASSERT_TRUE(found->syscall);
  EXPECT_EQ(found->syscall->number, SYS_read);
  // At the instruction that makes the call, which is done again after the handler, or behind it.
  EXPECT_LE(found->stack.registers.pc(), found->syscall->pc);
  EXPECT_LE(found->syscall->pc - found->stack.registers.pc(), 4U);
  if (testing::threads_walk) {
    ASSERT_GT(found->stack.walked.size(), 1U);
    EXPECT_EQ(found->stack.walked.front(), found->stack.registers.pc());
  } else {
    EXPECT_TRUE(holds(found->stack, marker));
    EXPECT_LE(found->stack.parts[0].address, found->stack.registers.sp());
  }
  reader.join();
  EXPECT_EQ(got, 1);  // restarted, not interrupted
}

TEST(Outcomes, ASignalThatAThreadWaitsForIsNotSentToIt) {
  const int signal = SIGRTMIN + 7;
  siginfo_t taken{};
  long got = 0;
  test_thread waiter{[&] {
                       sigset_t awaited;
                       sigemptyset(&awaited);
                       sigaddset(&awaited, signal);
                       pthread_sigmask(SIG_BLOCK, &awaited, nullptr);
                       got = syscall(SYS_rt_sigtimedwait, &awaited, &taken, nullptr, _NSIG / 8);
                     },
                     [&] { syscall(SYS_tgkill, getpid(), waiter.id(), signal); }};
  waiter.wait_blocked_in(SYS_rt_sigtimedwait);
  thread_capture_settings settings;
  settings.signal = signal;
  thread_capturer capturer{settings};
  const auto* found = find(capture_all(capturer), waiter.id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::signal_blocked);
  EXPECT_THAT(found->note, ::testing::HasSubstr("waits for the capture signal itself"));
  waiter.join();
  EXPECT_EQ(got, signal);
  EXPECT_EQ(taken.si_code, SI_TKILL) << "somebody else's signal";
}

TEST(Outcomes, TheCallerIsInItAsTheReporter) {
  thread_capturer capturer{{}};
  with_marker(marker, [&] {
    const auto& threads = capture_all(capturer);
    const auto* found = find(threads, gettid());
    ASSERT_NE(found, nullptr);
    EXPECT_TRUE(found->is_reporter);
    EXPECT_EQ(found->outcome, capture_outcome::ok);
    if (testing::threads_walk)
      EXPECT_GT(found->stack.walked.size(), 1U);
    else
      EXPECT_TRUE(holds(found->stack, marker));
  });
}

TEST(Outcomes, OneForEachThreadInOrder) {
  std::mutex gate;
  gate.lock();
  {
    std::vector<std::unique_ptr<test_thread>> many;
    std::vector<pid_t> ids{getpid()};
    for (int i = 0; i < 20; ++i) {
      many.push_back(std::make_unique<test_thread>([&] { const std::lock_guard wait{gate}; }));
      ids.push_back(many.back()->id());
      many.back()->wait_blocked_in(SYS_futex);
    }
    std::ranges::sort(ids);  // the kernel begins anew when it has used all numbers
    thread_capturer capturer{{}};
    std::vector<pid_t> seen;
    for (const auto& each : capture_all(capturer)) {
      if (std::find(ids.begin(), ids.end(), each.id) == ids.end()) continue;  // a sanitizer's
      seen.push_back(each.id);
      EXPECT_EQ(each.outcome, capture_outcome::ok);
    }
    EXPECT_EQ(seen, ids);
    gate.unlock();
  }
}

[[gnu::noinline]] void spin(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {
  }
}

TEST(Outcomes, ASpinningThreadIsCapturedAndSeenToUseACpu) {
  std::atomic<bool> stop = false;
  test_thread spinner{[&] { spin(stop); }, [&] { stop = true; }};
  thread_capturer capturer{{}};
  wait_until([&] {  // other load on the machine may take the CPU
    const auto* found = find(capture_all(capturer), spinner.id());
    return found != nullptr && found->outcome == capture_outcome::ok && found->state == 'R' &&
           found->cpu && found->cpu->never_paused && found->cpu->user_seconds > 0;
  });
  const auto* found = find(capture_all(capturer), spinner.id());
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_THREAD__)
  EXPECT_GE(found->stack.registers.pc(), reinterpret_cast<std::uintptr_t>(&spin));
  EXPECT_LT(found->stack.registers.pc(), reinterpret_cast<std::uintptr_t>(&spin) + 256);
#endif
  EXPECT_FALSE(found->syscall);
}

TEST(Outcomes, AThreadThatBlocksTheSignalIsLeftAlone) {
  thread_capturer capturer{{}};
  pipe_ends pipe;
  bool pending = true;
  test_thread deaf{[&] {
                     sigset_t all;
                     sigfillset(&all);
                     pthread_sigmask(SIG_SETMASK, &all, nullptr);
                     char byte = 0;
                     EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                     sigset_t waiting;
                     sigpending(&waiting);
                     pending = sigismember(&waiting, capturer.signal()) == 1;
                   },
                   [&] { pipe.write_byte(); }};
  deaf.wait_blocked_in(SYS_read);
  const auto* found = find(capture_all(capturer), deaf.id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::signal_blocked);
  EXPECT_FALSE(found->note.empty());
  EXPECT_TRUE(found->syscall);
  deaf.join();
  EXPECT_FALSE(pending);
}

TEST(Outcomes, WithoutASignalOnlyExactStacksAreOk) {
  pipe_ends pipe;
  test_thread reader{[&] {
                       with_marker(marker, [&] {
                         char byte = 0;
                         EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                       });
                     },
                     [&] { pipe.write_byte(); }};
  reader.wait_blocked_in(SYS_read);
  for (const bool answer : {true, false}) {
    thread_capture_settings settings;
    settings.signal = -1;
    thread_capturer capturer{settings};
    EXPECT_EQ(capturer.signal(), -1);
    const auto& threads = capture_all(capturer, [answer](const stack_snapshot&) { return answer; });
    const auto* found = find(threads, reader.id());
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->outcome, answer ? capture_outcome::ok : capture_outcome::not_signalled);
    EXPECT_TRUE(found->stack.only_pc_and_sp);
    EXPECT_FALSE(found->stack.full_registers);
    EXPECT_TRUE(holds(found->stack, marker));
    EXPECT_EQ(found->stack.registers.sp(), found->syscall->sp);
    EXPECT_EQ(found->note.empty(), answer);
  }
}

TEST(Outcomes, AThreadUnderATracerIsNotSignalled) {
  pipe_ends hold;
  test_thread held{[&] {
                     char byte = 0;
                     EXPECT_EQ(read(hold.ends[0], &byte, 1), 1);
                   },
                   [&] { hold.write_byte(); }};
  held.wait_blocked_in(SYS_read);
  pipe_ends ready;
  pipe_ends done;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const pid_t target = held.id();
  const pid_t tracer = fork();
  if (tracer == 0) {
    const bool seized = ptrace(PTRACE_SEIZE, target, nullptr, nullptr) == 0 &&
                        ptrace(PTRACE_INTERRUPT, target, nullptr, nullptr) == 0 &&
                        waitpid(target, nullptr, __WALL) == target;
    char byte = seized ? 'y' : 'n';
    (void)!write(ready.ends[1], &byte, 1);
    (void)!read(done.ends[0], &byte, 1);
    ptrace(PTRACE_DETACH, target, nullptr, nullptr);
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(ready.ends[0], &answer, 1), 1);
  if (answer == 'y') {
    thread_capture_settings settings;
    settings.deadline = std::chrono::seconds{10};
    thread_capturer capturer{settings};
    const auto start = std::chrono::steady_clock::now();
    const auto* found = find(capture_all(capturer), target);
    EXPECT_LT(std::chrono::steady_clock::now() - start,
              std::chrono::seconds{5});  // nothing to wait for
    EXPECT_TRUE(found != nullptr && found->outcome == capture_outcome::not_signalled);
    EXPECT_TRUE(found != nullptr && found->state == 't');
    EXPECT_TRUE(found != nullptr && !found->note.empty());
  }
  done.write_byte();
  waitpid(tracer, nullptr, 0);
  if (answer != 'y') GTEST_SKIP() << "this system allows no tracing";
}

int wait_for_byte(void* descriptor) {
  char byte = 0;
  syscall(SYS_read, *static_cast<int*>(descriptor), &byte, 1);
  syscall(SYS_exit, 0);
  return 0;
}

// A signal would stay pending until the child has ended.
TEST(Outcomes, AThreadInVforkIsNotSignalled) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers do not know a child in the same memory";
#endif
  pipe_ends hold;
  test_thread parent{[&] {
                       constexpr std::size_t size = 16384;
                       alignas(16) std::byte stack[size];
                       const pid_t child = clone(wait_for_byte, stack + size,
                                                 CLONE_VM | CLONE_VFORK | SIGCHLD, &hold.ends[0]);
                       waitpid(child, nullptr, 0);
                     },
                     [&] { hold.write_byte(); }};
  os::task_files files;
  wait_until([&] { return files.status(parent.id())->state == 'D'; });
  thread_capture_settings settings;
  settings.deadline = std::chrono::seconds{10};
  thread_capturer capturer{settings};
  const auto start = std::chrono::steady_clock::now();
  const auto* found = find(capture_all(capturer), parent.id());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{5});
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
  EXPECT_FALSE(found->wait_channel.empty() && found->note.empty());
}

TEST(Outcomes, AMainThreadThatHasEndedIsExited) {
  // In a child of its own: the main thread ends, another one reports.
  const pid_t child = fork();
  if (child == 0) {
    std::thread{[] {
      os::task_files files;
      for (int i = 0; i < 5000; ++i) {
        const auto status = files.status(getpid());
        if (status && status->state == 'Z') break;
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      }
      thread_capturer capturer{{}};
      const auto* found = find(capture_all(capturer), getpid());
      _exit(found != nullptr && found->outcome == capture_outcome::exited ? 0 : 1);
    }}.detach();
    syscall(SYS_exit, 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

[[gnu::noinline]] void go_deep(int levels, const std::function<void()>& at_the_end) {
  volatile char room[1024];
  room[0] = static_cast<char>(levels);
  if (levels == 0)
    at_the_end();
  else
    go_deep(levels - 1, at_the_end);
  asm volatile("" : : "r"(room) : "memory");
}

TEST(Outcomes, ADeepStackKeepsWhatFitsAndIsMarked) {
  constexpr std::uint64_t outer_marker = 0x0123456789abcdef;
  pipe_ends pipe;
  test_thread deep{[&] {
                     with_marker(outer_marker, [&] {
                       go_deep(600, [&] {
                         with_marker(marker, [&] {
                           char byte = 0;
                           EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                         });
                       });
                     });
                   },
                   [&] { pipe.write_byte(); }};
  deep.wait_blocked_in(SYS_read);
  thread_capture_settings settings;
  if (testing::threads_walk) settings.stack_bytes = 4096;
  thread_capturer capturer{settings};
  const auto* found = find(capture_all(capturer), deep.id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->outcome, capture_outcome::truncated);
  EXPECT_TRUE(found->stack.truncated);
  if (testing::threads_walk) {  // the innermost callers, as many as there is room for
    EXPECT_EQ(found->stack.walked.front(), found->stack.registers.pc());
    EXPECT_EQ(found->stack.walked.size(), settings.stack_bytes / sizeof(std::uintptr_t));
    return;
  }
  EXPECT_TRUE(holds(found->stack, marker));
  EXPECT_TRUE(holds(found->stack, outer_marker));
  EXPECT_LE(found->stack.parts[0].bytes.size() + found->stack.parts[1].bytes.size(), 65536U);
}

// Answers are remembered until the thread runs again, and not longer.
TEST(Outcomes, AThreadThatHasNotRunIsNotLookedAtAgain) {
  pipe_ends first;
  pipe_ends second;
  constexpr std::uint64_t later_marker = 0x7654321076543210;
  const auto read_from = [](pipe_ends& pipe) {
    char byte = 0;
    EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
  };
  test_thread reader{[&] {
                       with_marker(marker, [&] { read_from(first); });
                       with_marker(later_marker, [&] { read_from(second); });
                     },
                     [&] { second.write_byte(); }};
  reader.wait_blocked_in(SYS_read);
  int asked = 0;
  const auto is_exact = [&](const stack_snapshot& stack) {
    if (!holds(stack, marker) && !holds(stack, later_marker)) return false;
    ++asked;
    return true;
  };
  thread_capturer capturer{{}};
  for (int i = 0; i < 3; ++i) {
    const auto* found = find(capture_all(capturer, is_exact), reader.id());
    EXPECT_EQ(found->outcome, capture_outcome::ok);
    EXPECT_TRUE(holds(found->stack, marker));
    EXPECT_EQ(found->cpu->recent_percent, 0);
  }
  EXPECT_EQ(asked, 1);
  first.write_byte();
  os::task_files files;
  wait_until([&] {
    const auto blocked = files.blocked_in(reader.id());
    return blocked && blocked->arguments[0] == static_cast<std::uint64_t>(second.ends[0]);
  });
  EXPECT_TRUE(holds(find(capture_all(capturer, is_exact), reader.id())->stack, later_marker));
  EXPECT_EQ(asked, 2);
}

TEST(Outcomes, NamesAreAsSet) {
  pipe_ends pipe;
  test_thread named{[&] {
                      pthread_setname_np(pthread_self(), "a b)\\c");
                      char byte = 0;
                      EXPECT_EQ(read(pipe.ends[0], &byte, 1), 1);
                    },
                    [&] { pipe.write_byte(); }};
  named.wait_blocked_in(SYS_read);
  thread_capturer capturer{{}};
  EXPECT_EQ(find(capture_all(capturer), named.id())->name, "a b)\\c");
}

}  // namespace
}  // namespace gmr::capture
