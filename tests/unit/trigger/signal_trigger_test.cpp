// The signal trigger: whose handler it respects, and what it leaves behind.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <system_error>

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
  ~SignalTrigger() override { std::signal(SIGUSR2, SIG_DFL); }
  std::unique_ptr<trigger> watch() {
    return watch_signal(context_.executor(), SIGUSR2,
                        [this](std::string cause) { causes_.add(cause); });
  }
  test::record causes_;
  test::running_context context_;
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

TEST_F(SignalTrigger, PutsBackWhatWasThere) {
  for (const auto before : {SIG_DFL, SIG_IGN}) {
    std::signal(SIGUSR2, before);
    auto watching = watch();
    EXPECT_NE(current(SIGUSR2).sa_handler, before);
    watching.reset();
    EXPECT_EQ(current(SIGUSR2).sa_handler, before);
  }
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
  auto watching = watch();
  ::kill(::getpid(), SIGUSR2);
  EXPECT_TRUE(eventually([&] { return causes_.size() == 1 && own_calls == 1; }));
  watching.reset();
  EXPECT_EQ(current(SIGUSR2).sa_handler, &boost::asio::detail::boost_asio_signal_handler);
}

TEST_F(SignalTrigger, RearmedItHearsAgainOnceForEachSignal) {
  test::lossy_executor::state executor;
  const auto watching = watch_signal(test::lossy_executor{context_.context(), executor}, SIGUSR2,
                                     [this](const std::string& cause) { causes_.add(cause); });
  ::kill(::getpid(), SIGUSR2);
  ASSERT_TRUE(eventually([&] { return executor.lost == 1; }));
  executor.loses = false;
  for (int i = 0; i < 2; ++i)  // the second time although it waits
    boost::asio::post(context_.context(), [&] { watching->rearm(); });
  for (std::size_t count = 1; count <= 3; ++count) {
    ::kill(::getpid(), SIGUSR2);
    ASSERT_TRUE(eventually([&] { return causes_.size() == count; }));
  }
}

TEST_F(SignalTrigger, MayBeDestroyedWhileSignalsArrive) {
  // Asio leaves the default action for an instant, which would end this process. Before the sender:
  // Asio's handler reads a variable that is set now.
  const boost::asio::signal_set keeper{context_.executor(), SIGUSR2};
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
    const auto ignoring = ignore_signal(SIGUSR2);
    ::kill(::getpid(), SIGUSR2);
    // A handler is reset by exec, "ignored" would not be.
    ::execl("/bin/sh", "sh", "-c", "kill -USR2 $$; exit 0", nullptr);
  });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
}

TEST(IgnoredSignal, RestoresTheDefaultAndLeavesOthersAlone) {
  {
    const auto ignoring = ignore_signal(SIGUSR2);
    ::raise(SIGUSR2);
    EXPECT_NE(current(SIGUSR2).sa_handler, SIG_DFL);
    EXPECT_NE(current(SIGUSR2).sa_handler, SIG_IGN);
  }
  EXPECT_EQ(current(SIGUSR2).sa_handler, SIG_DFL);
  std::signal(SIGUSR2, foreign_handler);
  {
    const auto ignoring = ignore_signal(SIGUSR2);
    EXPECT_EQ(current(SIGUSR2).sa_handler, &foreign_handler);
  }
  EXPECT_EQ(current(SIGUSR2).sa_handler, &foreign_handler);
  std::signal(SIGUSR2, SIG_DFL);
}

}  // namespace
}  // namespace gmr::triggers
