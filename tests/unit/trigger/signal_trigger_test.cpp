// The signal trigger: whose handler it respects, and what it leaves behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>
#include <vector>

#include "os/trigger_handler.hpp"
#include "support.hpp"
#include "trigger/triggers.hpp"

namespace gmr::triggers {
namespace {

using test::eventually;

std::atomic<int> foreign_calls{0};
void foreign_handler(int) {
  ++foreign_calls;
}

struct sigaction current(int signal) {
  struct sigaction action{};
  ::sigaction(signal, nullptr, &action);
  return action;
}

class SignalTrigger : public testing::Test {
 protected:
  // A hold that a test has left to signal_sets of the service ends with the next trigger.
  ~SignalTrigger() override {
    std::signal(SIGUSR2, SIG_DFL);
    watch().reset();
    std::signal(SIGUSR2, SIG_DFL);
  }
  std::unique_ptr<test::watched> watch() {
    return std::make_unique<test::watched>(
        thread_, watch_signal(thread_.loop(), SIGUSR2),
        [this](const std::string& cause) { causes_.add(cause); });
  }
  test::record causes_;
  test::running_thread thread_;
  test::running_context context_;  // of the service
};

TEST_F(SignalTrigger, AsksForAReportThatNamesTheSignal) {
  const auto watching = watch();
  for (std::size_t count = 1; count <= 3; ++count) {
    ::kill(::getpid(), SIGUSR2);
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
  }
  EXPECT_EQ(causes_.entries().front(), "signal SIGUSR2");
}

TEST_F(SignalTrigger, DoesNotInterruptCallsOfTheService) {
  const auto watching = watch();
  EXPECT_NE(current(SIGUSR2).sa_flags & SA_RESTART, 0);
}

TEST_F(SignalTrigger, RefusesASignalThatSomebodyElseHandles) {
  std::signal(SIGUSR2, foreign_handler);
  try {
    watch();
    FAIL() << "accepted";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string{error.what()}.find("SIGUSR2"), std::string::npos);
  }
  EXPECT_EQ(current(SIGUSR2).sa_handler, &foreign_handler);
}

TEST_F(SignalTrigger, DestroyedItIgnoresTheSignalWhichWouldEndTheProcess) {
  for (int round = 0; round < 2; ++round) {
    auto watching = watch();
    watching.reset();
    ::raise(SIGUSR2);
    EXPECT_NE(current(SIGUSR2).sa_flags & SA_RESTART, 0);
    EXPECT_NE(current(SIGUSR2).sa_handler, SIG_IGN)
        << "programs that are executed would inherit it";
  }
  EXPECT_EQ(causes_.size(), 0U) << "who asked when there was none is not answered by the next";
}

TEST_F(SignalTrigger, PutsBackThatTheSignalWasIgnored) {
  std::signal(SIGUSR2, SIG_IGN);
  auto watching = watch();
  EXPECT_NE(current(SIGUSR2).sa_handler, SIG_IGN);
  watching.reset();
  EXPECT_EQ(current(SIGUSR2).sa_handler, SIG_IGN);
}

TEST_F(SignalTrigger, LeavesTheSignalToASignalSetOfTheServiceThatCameLater) {
  auto watching = watch();
  boost::asio::signal_set own{context_.executor(), SIGUSR2};
  watching.reset();
  std::atomic<int> own_calls{0};
  own.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) ++own_calls;
  });
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return own_calls == 1; }));
}

TEST_F(SignalTrigger, TheSignalEndsNothingOnceASignalSetThatOutlivedItIsGone) {
  for (const bool is_first : {false, true}) {
    std::optional<boost::asio::signal_set> own;
    if (is_first) own.emplace(context_.executor(), SIGUSR2);
    auto watching = watch();
    if (!is_first) own.emplace(context_.executor(), SIGUSR2);
    watching.reset();
    own.reset();
    ::raise(SIGUSR2);
    EXPECT_NE(current(SIGUSR2).sa_handler, SIG_DFL);
  }
  watch().reset();
  boost::asio::signal_set later{context_.executor(), SIGUSR2};
  std::atomic<int> calls{0};
  later.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) ++calls;
  });
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return calls == 1; }));
}

std::atomic<bool> was_entered{false};
std::atomic<bool> may_return{false};
void stay(int) {
  was_entered = true;
  while (!may_return)
    ::usleep(1000);
}

TEST_F(SignalTrigger, AForkedChildWaitsForNoThreadOfItsParent) {
  const auto watching = watch();
  os::listen_to_signal(SIGUSR2, &stay);
  std::thread thread{[] { ::pthread_kill(::pthread_self(), SIGUSR2); }};
  EXPECT_TRUE(eventually([] { return was_entered.load(); }));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(os::stop_listening() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  may_return = true;
  thread.join();
}

TEST_F(SignalTrigger, ASignalSetOfTheServiceWorksAfterIt) {
  watch().reset();
  boost::asio::signal_set own{context_.executor(), SIGUSR2};
  std::atomic<int> own_calls{0};
  own.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) ++own_calls;
  });
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return own_calls == 1; }));
}

TEST_F(SignalTrigger, LeavesAHandlerAloneThatWasInstalledMeanwhile) {
  auto watching = watch();
  std::signal(SIGUSR2, foreign_handler);
  watching.reset();
  EXPECT_EQ(current(SIGUSR2).sa_handler, &foreign_handler);
}

TEST_F(SignalTrigger, SharesTheSignalWithASignalSetOfTheService) {
  boost::asio::signal_set own{context_.executor(), SIGUSR2};
  std::atomic<int> own_calls{0};
  own.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) ++own_calls;
  });
  const struct sigaction asio = current(SIGUSR2);
  const struct sigaction unused = current(SIGURG);
  auto watching = watch();
  EXPECT_EQ(current(SIGURG).sa_handler, unused.sa_handler) << "it served to know Asio's handler";
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1 && own_calls == 1; }));
  watching.reset();
  EXPECT_EQ(current(SIGUSR2).sa_handler, asio.sa_handler);
  EXPECT_EQ(current(SIGUSR2).sa_flags, asio.sa_flags) << "it is the service's";
}

TEST_F(SignalTrigger, OutlivesASignalSetOfTheServiceThatSharedTheSignal) {
  std::optional<boost::asio::signal_set> own{std::in_place, context_.executor(), SIGUSR2};
  auto watching = watch();
  own.reset();
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1; }));
  watching.reset();
  ::raise(SIGUSR2);  // which would end the process
}

TEST_F(SignalTrigger, SharesTheSignalWithASignalSetThatComesLater) {
  auto watching = watch();
  std::optional<boost::asio::signal_set> own{std::in_place, context_.executor(), SIGUSR2};
  std::atomic<int> own_calls{0};
  own->async_wait([&](const boost::system::error_code& error, int) {
    if (!error) ++own_calls;
  });
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1 && own_calls == 1; }));
  own.reset();
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 2; }));
  watching.reset();
  ::raise(SIGUSR2);  // which would end the process
}

TEST_F(SignalTrigger, AsksAgainForEachSignalWhereARequestThrew) {
  std::atomic<int> failed{0};
  testing::internal::CaptureStderr();
  const test::watched watching{thread_, watch_signal(thread_.loop(), SIGUSR2),
                               [&](const std::string& cause) {
                                 if (failed++ == 0) throw std::bad_alloc{};
                                 causes_.add(cause);
                               }};
  for (std::size_t count = 1; count <= 3; ++count) {
    ::kill(::getpid(), SIGUSR2);
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "gmr: std::bad_alloc\n");
}

TEST_F(SignalTrigger, MayBeDestroyedWhileSignalsArrive) {
  std::atomic<bool> stop{false};
  std::thread sender{[&] {
    while (!stop) {
      ::kill(::getpid(), SIGUSR2);
      std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
  }};
  for (int round = 0; round < 50; ++round) {
    auto watching = watch();
    const std::size_t before = causes_.size();
    ASSERT_TRUE(eventually([&] { return causes_.size() > before; }));
    watching.reset();
  }
  stop = true;
  sender.join();
}

// In a child: the process must survive the signal, or not.
int status_of(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(IgnoredSignal, DoesNotEndTheProcessNorReachPrograms) {
  const int status = status_of([] {
    ignore_signal(SIGUSR1);
    ::kill(::getpid(), SIGUSR1);
    // A handler is reset by exec, "ignored" would not be.
    ::execl("/bin/sh", "sh", "-c", "kill -USR1 $$; exit 0", nullptr);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

TEST(IgnoredSignal, LeavesAHandlerOfSomebodyElseAlone) {
  std::signal(SIGUSR2, foreign_handler);
  ignore_signal(SIGUSR2);
  EXPECT_EQ(current(SIGUSR2).sa_handler, &foreign_handler);
  std::signal(SIGUSR2, SIG_DFL);
}

// In a program of its own: there must not have been a trigger.
TEST(EarlySignal, IsAnsweredByTheFirstTriggerAndOnceOnly) {
  if (std::getenv("GMR_NO_TRIGGER_YET") == nullptr) {
    const int status = status_of([] {
      ::setenv("GMR_NO_TRIGGER_YET", "1", 1);
      ::execl("/proc/self/exe", "trigger_test", "--gtest_filter=EarlySignal.*", nullptr);
    });
    EXPECT_EQ(status, 0);
    return;
  }
  ASSERT_TRUE(os::is_trigger_handler(current(SIGUSR2)));
  ::raise(SIGUSR2);
  test::running_thread thread;
  test::record causes;
  const auto add = [&](const std::string& cause) { causes.add(cause); };
  {
    const test::watched first{thread, watch_signal(thread.loop(), SIGUSR2), add};
    EXPECT_TRUE(eventually([&] { return causes.size() == 1; }));
  }
  const test::watched second{thread, watch_signal(thread.loop(), SIGUSR2), add};
  ::raise(SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes.size() >= 2; }));
  EXPECT_EQ(causes.entries(), (std::vector<std::string>{"signal SIGUSR2", "signal SIGUSR2"}));
}

// As in a program whose plug-in has a copy of the library of its own, which was initialised first.
TEST_F(SignalTrigger, TakesTheSignalFromTheHandlerOfAnotherCopy) {
  os::silence_signal(SIGUSR2);
  struct sigaction of_other_copy = current(SIGUSR2);
  of_other_copy.sa_handler = foreign_handler;
  ::sigaction(SIGUSR2, &of_other_copy, nullptr);
  foreign_calls = 0;
  const auto watching = watch();
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1; }));
  EXPECT_EQ(foreign_calls, 0);
}

// As a daemon does that closes all it does not know, whose next files get the numbers.
TEST(SignalTriggerDescriptors, NoneIsNeededNorWrittenTo) {
  const int status = status_of([] {
    test::running_thread thread;
    test::record causes;
    const test::watched watching{thread, watch_signal(thread.loop(), SIGUSR2),
                                 [&](const std::string& cause) { causes.add(cause); }};
    std::array<int, 2> files{};
    if (::pipe2(files.data(), O_NONBLOCK) != 0) ::_exit(2);
    for (int number = 3; number < 64; ++number)
      if (number != files[0] && number != files[1] && ::dup2(files[1], number) < 0) ::_exit(3);
    ::raise(SIGUSR2);
    if (!eventually([&] { return causes.size() == 1; })) ::_exit(4);
    char byte = 0;
    ::_exit(::read(files[0], &byte, 1) < 0 ? 0 : 1);
  });
  EXPECT_EQ(status, 0);
}

// The service has a signal_set for the signal, too, and loses the pipe that Asio has for it.
TEST(SignalTriggerDescriptors, AsiosPipeIsNotWrittenToOnceItIsAnotherFile) {
  const int status = status_of([] {
    test::running_thread thread;
    test::running_context context;
    test::record causes;
    const boost::asio::signal_set own{context.executor(), SIGUSR2};
    const test::watched watching{thread, watch_signal(thread.loop(), SIGUSR2),
                                 [&](const std::string& cause) { causes.add(cause); }};
    std::array<int, 2> files{};
    if (::pipe2(files.data(), O_NONBLOCK) != 0) ::_exit(2);
    for (int number = 3; number < 64; ++number)
      if (number != files[0] && number != files[1] && ::dup2(files[1], number) < 0) ::_exit(3);
    ::raise(SIGUSR2);
    if (!eventually([&] { return causes.size() == 1; })) ::_exit(4);
    char byte = 0;
    ::_exit(::read(files[0], &byte, 1) < 0 ? 0 : 1);
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace gmr::triggers
