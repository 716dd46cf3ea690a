// The capture signal: whose it is, and what is left of it afterwards.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unwind.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "capture/capture_handler.hpp"
#include "capture/signal_action.hpp"
#include "capture/thread_capturer.hpp"
#include "support/in_child.hpp"
#include "test_threads.hpp"

namespace gmr::capture {
namespace {

using testing::capture_all;
using testing::find;
using testing::test_thread;
using testing::wait_until;

void other_handler(int, siginfo_t*, void*) noexcept {}

TEST(CaptureSignal, IsTheFirstFreeRealTimeSignal) {
  const int free = SIGRTMIN;
  const kernel_action before = get_action(free);
  set_action(free, make_handler_action(other_handler));
  {
    thread_capturer capturer{{}};
    EXPECT_EQ(capturer.signal(), SIGRTMIN + 1);
    EXPECT_TRUE(get_action(capturer.signal()).has_handler());
  }
  EXPECT_FALSE(get_action(SIGRTMIN + 1).has_handler());
  set_action(free, before);
}

TEST(CaptureSignal, AForeignHandlerIsRefusedByName) {
  const int wanted = SIGRTMIN + 3;
  const kernel_action before = get_action(wanted);
  set_action(wanted, make_handler_action(other_handler));
  thread_capture_settings settings;
  settings.signal = wanted;
  try {
    thread_capturer capturer{settings};
    FAIL() << "accepted";
  } catch (const std::system_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("SIGRTMIN+3"));
  }
  EXPECT_EQ(get_action(wanted).handler, reinterpret_cast<std::uintptr_t>(&other_handler));
  set_action(wanted, before);
  thread_capturer accepted{settings};  // the refusal has left nothing behind
  EXPECT_EQ(accepted.signal(), wanted);
}

TEST(CaptureSignal, OneCapturerAtATime) {
  thread_capturer first{{}};
  EXPECT_THROW(thread_capturer{{}}, std::logic_error);
}

TEST(CaptureSignal, AForkedChildHasACapturerOfItsOwn) {
  const thread_capturer first{{}};
  test::in_child([] {
    const thread_capturer own{{}};
    EXPECT_GE(own.signal(), 0);
    EXPECT_THROW(thread_capturer{{}}, std::logic_error);
  });
}

struct callers {
  std::array<std::uintptr_t, 64> counters{};
  std::size_t count = 0;
};

void find_callers(callers& found) noexcept {
  found.count = 0;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* to) {
        auto& into = *static_cast<callers*>(to);
        into.counters[into.count++] = _Unwind_GetIP(context);
        return into.count == into.counters.size() ? _URC_END_OF_STACK : _URC_NO_REASON;
      },
      &found);
}

callers found_in_handler;

void unwinding_handler(int, siginfo_t*, void*) noexcept {
  find_callers(found_in_handler);
}

// Where the C++ runtime's unwinder gets lost, it crashes.
TEST(CaptureSignal, AnUnwinderFindsItsWayOutOfTheHandler) {
  callers here;
  find_callers(here);
  const int free = SIGRTMIN;
  const kernel_action before = get_action(free);
  set_action(free, make_handler_action(unwinding_handler));
  EXPECT_EQ(raise(free), 0);
  set_action(free, before);
  const std::size_t of_test = 2;  // this function and find_callers(): elsewhere in it by now
  ASSERT_GT(here.count, of_test);
  const std::size_t common = here.count - of_test;
  ASSERT_GT(found_in_handler.count, common);
  for (std::size_t i = 1; i <= common; ++i)
    EXPECT_EQ(found_in_handler.counters[found_in_handler.count - i], here.counters[here.count - i]);
}

TEST(CaptureSignal, AHandlerSetMeanwhileIsNeitherCalledNorRemoved) {
  static std::atomic<int> calls = 0;
  const auto count = [](int, siginfo_t*, void*) noexcept { ++calls; };
  std::atomic<bool> stop = false;
  test_thread spinner{[&] {
                        while (!stop)
                          std::this_thread::yield();
                      },
                      [&] { stop = true; }};
  int signal = 0;
  const signal_handler theirs = count;
  {
    thread_capturer capturer{{}};
    signal = capturer.signal();
    set_action(signal, make_handler_action(theirs));
    const auto* found = find(capture_all(capturer), spinner.id());
    EXPECT_EQ(found->outcome, capture_outcome::not_signalled);
  }
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(get_action(signal).handler, reinterpret_cast<std::uintptr_t>(theirs));
  kernel_action standard;
  set_action(signal, standard);
}

TEST(CaptureSignal, SentByAnybodyElseItDoesNothing) {
  thread_capturer capturer{{}};
  EXPECT_EQ(syscall(SYS_tgkill, getpid(), gettid(), capturer.signal()), 0);
  siginfo_t forged{};
  forged.si_code = SI_QUEUE;
  forged.si_pid = getpid();
  for (const std::uint64_t payload : {std::uint64_t{0}, make_payload(0, 1), ~std::uint64_t{0}}) {
    forged.si_value.sival_ptr = reinterpret_cast<void*>(payload);
    EXPECT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), capturer.signal(), &forged), 0);
  }
  EXPECT_EQ(find(capture_all(capturer), gettid())->outcome, capture_outcome::ok);
}

TEST(CaptureSignal, ErrnoIsUntouched) {
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  test_thread checker{[&] {
                        while (!stop) {
                          errno = 1234;
                          for (int i = 0; i < 1000; ++i)
                            asm volatile("" : : : "memory");
                          if (errno != 1234) ++wrong;
                        }
                      },
                      [&] { stop = true; }};
  thread_capture_settings settings;
  settings.busy_window = std::chrono::milliseconds{0};
  thread_capturer capturer{settings};
  int captured = 0;
  for (int i = 0; i < 500; ++i)
    captured += find(capture_all(capturer), checker.id())->outcome == capture_outcome::ok ? 1 : 0;
  EXPECT_GT(captured, 450);
  EXPECT_EQ(wrong, 0);
}

// A thread that blocks the signal right after it was looked at: the signal stays pending, past the
// deadline and past the capturer.
TEST(CaptureSignal, ALateOneWritesNowhereAndHarmsNobody) {
  std::atomic<int> step = 0;
  std::atomic<pid_t> id = 0;
  std::thread late{[&] {
    sigset_t all;
    sigfillset(&all);
    id = gettid();
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    while (step < 1)
      std::this_thread::yield();
    pthread_sigmask(SIG_UNBLOCK, &all, nullptr);  // a pending signal arrives here
    step = 2;
    while (step < 3)
      std::this_thread::yield();
  }};
  wait_until([&] {
    const auto status = os::task_files{}.status(id);
    return status && status->blocked_signals != 0;
  });
  {
    thread_capturer capturer{{}};
    siginfo_t info{};  // as if sent just before the thread blocked it, its slot revoked since
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = reinterpret_cast<void*>(make_payload(0, 0));
    ASSERT_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), id.load(), capturer.signal(), &info), 0);
    EXPECT_EQ(find(capture_all(capturer), id)->outcome, capture_outcome::signal_blocked);
  }
  step = 1;  // its default action would now end the process
  wait_until([&] { return step == 2; });
  step = 3;
  late.join();
}

}  // namespace
}  // namespace gmr::capture
