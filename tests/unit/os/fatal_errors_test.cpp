// A thread that fails waits until it is released, and goes on to what was there before.
#include "os/fatal_errors.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "os/bell.hpp"

namespace gmr::os {
namespace {

using namespace std::chrono_literals;

void throw_something() {
  throw std::runtime_error{"no luck"};
}

// How a child that does so ends.
int status_of(const std::function<void()>& fails) {
  const pid_t child = ::fork();
  if (child == 0) {
    fails();
    ::_exit(99);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

bool has_exited(int status, int code) {
  return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

// The program's own way to end, as sanitizers have theirs.
void leave(int, siginfo_t* info, void*) {
  ::_exit(info->si_code == SI_TKILL && info->si_pid == ::getpid() ? 7 : 8);
}

void install_earlier(int signal) {
  struct sigaction action{};
  action.sa_sigaction = &leave;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(signal, &action, nullptr);
}

// Stands for those who report; ends the process where what it sees is not right.
void start_observer(const std::function<bool(const fatal_error&)>& is_right) {
  std::thread{[is_right] {
    writes_raw_reports();
    for (;;) {
      const std::uint32_t rung = bell_count();
      const fatal_error* const present = present_fatal_error();
      if (present != nullptr && !is_right(*present)) ::_exit(3);
      if (present != nullptr) release_failing_thread();
      wait_for_bell(rung, std::nullopt);
    }
  }}.detach();
}

TEST(FatalErrors, AreSeenAndThenHandledAsBefore) {
  EXPECT_TRUE(has_exited(status_of([] {
                           install_earlier(SIGBUS);
                           start_observer([](const fatal_error& error) {
                             return error.signal == SIGBUS && error.thread == ::getpid() &&
                                    !error.is_fault() && error.sender == ::getpid() &&
                                    error.pc() != 0 && is_failing_thread(::getpid());
                           });
                           catch_fatal_errors(-1, 60s);
                           ::raise(SIGBUS);
                         }),
                         7));
}

TEST(FatalErrors, ThatNobodySeesAreWaitedForAndNotForEver) {
  EXPECT_TRUE(has_exited(status_of([] {
                           install_earlier(SIGBUS);
                           catch_fatal_errors(-1, 1ms);
                           ::raise(SIGBUS);
                         }),
                         7));
}

TEST(FatalErrors, OfWhoWouldReportAreNotWaitedFor) {
  EXPECT_TRUE(has_exited(status_of([] {
                           install_earlier(SIGBUS);
                           catch_fatal_errors(-1, std::chrono::hours{1});
                           writes_raw_reports();
                           ::raise(SIGBUS);
                         }),
                         7));
}

TEST(FatalErrors, AreNotCaughtInAForkedChildNorAfterwards) {
  EXPECT_TRUE(has_exited(status_of([] {
                           install_earlier(SIGBUS);
                           catch_fatal_errors(-1, std::chrono::hours{1});
                           if (!has_exited(status_of([] { ::raise(SIGBUS); }), 7)) ::_exit(4);
                           stop_catching_fatal_errors();
                           ::raise(SIGBUS);
                         }),
                         7));
}

TEST(FatalErrors, SignalsThatAreIgnoredStayIgnored) {
  EXPECT_TRUE(has_exited(status_of([] {
                           ::signal(SIGFPE, SIG_IGN);
                           catch_fatal_errors(-1, std::chrono::hours{1});
                           ::raise(SIGFPE);
                           ::_exit(5);
                         }),
                         5));
}

TEST(FatalErrors, AnExceptionThatNobodyCatchesIsNamed) {
  EXPECT_TRUE(has_exited(status_of([] {
                           std::set_terminate([] { ::_exit(6); });
                           start_observer([](const fatal_error& error) {
                             return error.signal == 0 && error.type() == "St13runtime_error" &&
                                    error.text() == "no luck";
                           });
                           catch_fatal_errors(-1, 60s);
                           std::thread{throw_something}.join();
                         }),
                         6));
}

TEST(FatalErrors, AreSeenOnce) {
  EXPECT_TRUE(has_exited(status_of([] {
                           static std::atomic<int> seen{0};
                           ::signal(SIGBUS, [](int) {});
                           start_observer([](const fatal_error&) { return ++seen == 1; });
                           catch_fatal_errors(-1, 60s);
                           ::raise(SIGBUS);
                           ::raise(SIGBUS);
                           ::_exit(seen == 1 ? 7 : 8);
                         }),
                         7));
}

}  // namespace
}  // namespace gmr::os
