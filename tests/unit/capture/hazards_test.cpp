// Captures against threads that do what breaks other tools: none crashes, hangs, or shows a wrong
// frame. Short by default; tests/hazards.sh runs the whole volume.
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <link.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "backend.hpp"
#include "stack_check.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::captures_of_a_hazard;
using testing::find;
using testing::pipe_ends;
using testing::stack_checker;
using testing::test_thread;
using testing::wait_until;

// Captures while `count` threads repeat `act`, and judges each of their stacks.
template <class Act>
testing::verdicts capture_against(const char* name, Act act, int count = 2) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  std::vector<std::unique_ptr<test_thread>> threads;
  for (int i = 0; i < count; ++i)
    threads.push_back(std::make_unique<test_thread>(
        [&] { testing::known::repeat(act, stop, acts); }, [&] { stop = true; }));
  stack_checker checker{{}};
  for (int i = 0; i < captures_of_a_hazard(); i += count) {
    checker.capture();
    for (const auto& each : threads)
      checker.judge(each->id());
  }
  threads.clear();
  EXPECT_GT(acts, 0U);
  checker.print(name);
  return checker.result();
}

// What is not right says why; that is for a few that were caught between two states.
void expect_nearly_all_right(const testing::verdicts& seen, int percent = 97) {
  EXPECT_GE(seen.right, seen.all() * percent / 100);
}

// A thread that walks itself stops at the runtime's unwinder, which these are nearly always in.
constexpr int right_of_throwing = testing::threads_walk ? 1 : 97;

struct sized_error : std::runtime_error {
  using std::runtime_error::runtime_error;
  char room[256] = {};
};

[[gnu::noinline]] void throw_from(int depth) {
  const std::string to_destroy(40, 'x');
  if (depth == 0) throw sized_error{to_destroy};
  throw_from(depth - 1);
  asm volatile("" : : : "memory");
}

TEST(Hazards, ThreadsThatThrow) {
  const auto seen = capture_against("throw", [] {
    try {
      throw_from(3);
    } catch (const std::exception&) {
    }
  });
  expect_nearly_all_right(seen, right_of_throwing);
}

int plus_one(int value) {
  for (int i = 0; i < 100'000; ++i)  // about as long as loading takes
    asm volatile("" : : : "memory");
  return value + 1;
}

void load_call_and_unload(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto call = reinterpret_cast<int (*)(int (*)(int), int)>(dlsym(library, "gmr_hazard_call"));
  call(plus_one, 1);
  dlclose(library);
}

TEST(Hazards, ThreadsThatLoadAndUnload) {
  static std::mutex one_at_a_time;  // or the library would stay loaded most of the time
  const auto seen = capture_against("dlopen and dlclose", [] {
    const std::lock_guard lock{one_at_a_time};
    load_call_and_unload(GMR_HAZARD_PLUGIN_SMALL);
  });
  EXPECT_GE(seen.right, seen.all() / 2);  // no rules for a library that is just coming or going
}

// Each comes to lie where the other was, several times within one capture: which one a thread was
// in can't be known for sure. That no stack leads anywhere but to places that calls return to, can.
TEST(Hazards, TwoLibrariesThatTakeTurnsAtOnePlace) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  auto act = [] {
    load_call_and_unload(GMR_HAZARD_PLUGIN_SMALL);
    load_call_and_unload(GMR_HAZARD_PLUGIN_LARGE);
  };
  test_thread loading{[&] { testing::known::repeat(act, stop, acts); }, [&] { stop = true; }};
  stack_checker checker{{}};
  for (int i = 0; i < captures_of_a_hazard() / 4; ++i) {
    checker.capture();
    EXPECT_EQ(checker.find_impossible(loading.id()), "");
  }
}

TEST(Hazards, ThreadsInTheLoadersList) {
  expect_nearly_all_right(capture_against("dl_iterate_phdr", [] {
    dl_iterate_phdr(
        [](dl_phdr_info*, std::size_t, void*) {
          for (int i = 0; i < 1000; ++i)
            asm volatile("" : : : "memory");
          return 0;
        },
        nullptr);
  }));
}

TEST(Hazards, ThreadsThatAllocate) {
  expect_nearly_all_right(capture_against("malloc", [] {
    std::vector<std::unique_ptr<char[]>> blocks;
    for (std::size_t i = 0; i < 20; ++i)
      blocks.push_back(std::make_unique<char[]>(i * 1000 + 1));
    void* const grown = std::realloc(std::malloc(100), 300'000);
    asm volatile("" : : "r"(grown) : "memory");
    std::free(grown);
  }));
}

// What counts is that nothing waits for such a thread, and that its signals do not pile up.
TEST(Hazards, ThreadsThatBlockAllSignalsAndLetThemThrough) {
  const auto seen = capture_against("block all signals", [] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  });
  EXPECT_GT(seen.right, 0);
  for (const auto& [reason, count] : seen.reasons)
    EXPECT_THAT(reason, ::testing::StartsWith("signal_blocked")) << count;
}

[[gnu::noinline]] void end_at_once(std::atomic<int>& started) {
  ++started;
}

TEST(Hazards, ThreadsThatStartAndEnd) {
  const int threads = std::max(10'000, captures_of_a_hazard());
  std::atomic<int> started = 0;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  auto act = [&] { std::thread{[&] { end_at_once(started); }}.join(); };
  test_thread starter{[&] { testing::known::repeat(act, stop, acts); }, [&] { stop = true; }};
  stack_checker checker{{}};
  while (started < threads) {
    for (const thread_snapshot& each : checker.capture()) {
      EXPECT_NE(each.outcome, capture_outcome::timeout) << each.name << ' ' << each.state;
      EXPECT_NE(each.outcome, capture_outcome::unreadable) << each.name << ' ' << each.state;
    }
    checker.judge(starter.id());
  }
  checker.print("start and end, " + std::to_string(threads) + " threads");
  EXPECT_GT(checker.result().right, 0);
}

TEST(Hazards, ManyThreadsAtOnce) {
#ifdef __SANITIZE_THREAD__
  constexpr int count = 200;
#else
  constexpr int count = 2000;
#endif
  std::mutex gate;
  gate.lock();
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  auto act = [&] { const std::lock_guard wait{gate}; };
  {
    std::vector<std::unique_ptr<test_thread>> many;
    for (int i = 0; i < count; ++i)
      many.push_back(
          std::make_unique<test_thread>([&] { testing::known::repeat(act, stop, acts); }));
    // In turn with a signal, without one, and as it was a moment ago.
    int done = 0;
    for (int round = 0; done < captures_of_a_hazard() || round < 3; ++round) {
      stack_checker checker{{}};
      for (int again = 0; again < 2; ++again) {
        checker.capture();
        for (const auto& each : many)
          checker.judge(each->id());
        done += count;
      }
      checker.print(std::to_string(count) + " threads");
      expect_nearly_all_right(checker.result());
    }
    stop = true;
    gate.unlock();
  }
}

TEST(Hazards, CapturersComeAndGo) {
  std::atomic<bool> stop = false;
  test_thread spinner{[&] {
                        while (!stop)
                          std::this_thread::yield();
                      },
                      [&] { stop = true; }};
  for (int i = 0; i < 300; ++i) {
    thread_capture_settings settings;
    settings.busy_window = std::chrono::milliseconds{0};
    settings.deadline = std::chrono::seconds{5};
    settings.stack_bytes = static_cast<std::size_t>(4096) << (i % 3);
    thread_capturer capturer{settings};
    EXPECT_EQ(find(capture_all(capturer), spinner.id())->outcome, capture_outcome::ok);
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// A signal for a thread in vfork stays pending until the child has ended: it is not sent one.
TEST(Hazards, ThreadsInVfork) {
  const auto seen = capture_against("vfork", [] {
    const pid_t child = vfork();
    if (child == 0) {
      usleep(300);
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  EXPECT_GT(seen.right, 0);
}
#endif

// Stops and lets go of a thread of this process, again and again, in a process of its own.
[[noreturn]] void trace_on_and_off(pid_t target, int ready, int done) {
  char byte = 'n';
  for (bool told = false;;) {
    const bool stopped = ptrace(PTRACE_SEIZE, target, nullptr, nullptr) == 0 &&
                         ptrace(PTRACE_INTERRUPT, target, nullptr, nullptr) == 0 &&
                         waitpid(target, nullptr, __WALL) == target;
    if (!told) {
      byte = stopped ? 'y' : 'n';
      told = write(ready, &byte, 1) == 1;
    }
    if (!stopped) _exit(1);
    usleep(300);
    ptrace(PTRACE_DETACH, target, nullptr, nullptr);
    usleep(300);
    if (read(done, &byte, 1) == 1) _exit(0);
  }
}

TEST(Hazards, ThreadsUnderATracer) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> acts = 0;
  auto act = [] { asm volatile("" : : : "memory"); };
  test_thread held{[&] { testing::known::repeat(act, stop, acts); }, [&] { stop = true; }};
  pipe_ends ready;
  pipe_ends done;
  ASSERT_EQ(fcntl(done.ends[0], F_SETFL, O_NONBLOCK), 0);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const pid_t target = held.id();
  const pid_t tracer = fork();
  if (tracer == 0) trace_on_and_off(target, ready.ends[1], done.ends[0]);
  char answer = 0;
  ASSERT_EQ(read(ready.ends[0], &answer, 1), 1);
  if (answer == 'y') {
    stack_checker checker{{}};
    for (int i = 0; i < captures_of_a_hazard(); ++i) {
      checker.capture();
      checker.judge(target);
    }
    checker.print("ptrace");
    EXPECT_GT(checker.result().right, 0);
  }
  done.write_byte();
  waitpid(tracer, nullptr, 0);
  if (answer != 'y') GTEST_SKIP() << "this system allows no tracing";
}

}  // namespace
}  // namespace gmr::capture
