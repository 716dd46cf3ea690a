// The reporter's triggers: what a signal or a touch does to a whole process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <system_error>

#include "os/trigger_handler.hpp"
#include "support.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct sigaction action_of(int signal) {
  struct sigaction out{};
  ::sigaction(signal, nullptr, &out);
  return out;
}

void foreign_handler(int) {}

class ReporterTrigger : public testing::Test {
 protected:
  ~ReporterTrigger() override { std::signal(SIGUSR2, SIG_DFL); }
  test::report_directory directory_;
};

TEST_F(ReporterTrigger, TheSignalMakesAReport) {
  reporter reports{{.name = "orders"}, directory_.set()};
  ::kill(::getpid(), SIGUSR2);
  ASSERT_TRUE(directory_.wait_for(1));
  EXPECT_THAT(directory_.reports().front(), HasSubstr("signal SIGUSR2"));
}

TEST_F(ReporterTrigger, AnotherSignalMayBeChosen) {
  settings set = directory_.set();
  set.signal = SIGUSR1;
  ASSERT_TRUE(os::catch_signal(SIGUSR2));  // as the library's initialisers do
  reporter reports{{.name = "orders"}, set};
  ::kill(::getpid(), SIGUSR1);
  ASSERT_TRUE(directory_.wait_for(1));
  ::raise(SIGUSR2);  // by default it would end the process
  EXPECT_EQ(reports.make().number, 2U) << "the usual signal makes no report then";
}

TEST_F(ReporterTrigger, AStormIsAnsweredByFewWholeReports) {
  settings set = directory_.set();
  set.format = report_format::json;
  {
    reporter reports{{.name = "orders"}, set};
    for (int count = 0; count < 1000; ++count)
      ::kill(::getpid(), SIGUSR2);
    ASSERT_TRUE(directory_.wait_for(1));
  }
  const std::vector<std::string> made = directory_.reports();
  EXPECT_LE(made.size(), 20U);
  for (const std::string& each : made)
    EXPECT_THAT(each, testing::EndsWith("}\n"));
}

TEST_F(ReporterTrigger, ATouchMakesAReportAndTheSignalIsOff) {
  settings set = directory_.set();
  set.file_event_handler = directory_.path() / "trigger";
  set.file_event_handler_interval = 20ms;
  reporter reports{{.name = "orders"}, set};
  ::kill(::getpid(), SIGUSR2);
  std::ofstream{set.file_event_handler} << "x";
  ASSERT_TRUE(directory_.wait_for(1));
  EXPECT_THAT(directory_.reports().front(), HasSubstr("trigger touched"));
  EXPECT_EQ(reports.make().number, 2U) << "the signal made none";
}

TEST_F(ReporterTrigger, LeavesNothingBehindThatEndsTheProcess) {
  for (const bool file : {false, true}) {
    settings set = directory_.set();
    if (file) set.file_event_handler = directory_.path() / "trigger";
    {
      reporter reports{{.name = "orders"}, set};
      EXPECT_NE(action_of(SIGUSR2).sa_handler, SIG_DFL);
    }
    for (int signal = 1; signal < SIGRTMAX; ++signal) {
      if (signal == SIGKILL || signal == SIGSTOP || (signal > 31 && signal < SIGRTMIN)) continue;
      EXPECT_NE(action_of(signal).sa_handler, &foreign_handler);
    }
    ::raise(SIGUSR2);  // by default it would
  }
}

TEST_F(ReporterTrigger, WithoutASignalTheHandlerOfTheServiceStays) {
  std::signal(SIGUSR2, foreign_handler);
  settings set = directory_.set();
  set.signal = no_signal;
  reporter reports{{.name = "orders"}, set};
  EXPECT_EQ(action_of(SIGUSR2).sa_handler, &foreign_handler);
  EXPECT_EQ(reports.make().cause, "request");
  std::signal(SIGUSR2, SIG_DFL);
}

TEST_F(ReporterTrigger, AForeignHandlerIsNeverReplacedAndNothingIsLeftBehind) {
  std::signal(SIGUSR2, foreign_handler);
  const auto before = action_of(SIGRTMIN);
  EXPECT_THROW((reporter{{.name = "orders"}, directory_.set()}), std::system_error);
  EXPECT_EQ(action_of(SIGUSR2).sa_handler, &foreign_handler);
  EXPECT_EQ(action_of(SIGRTMIN).sa_handler, before.sa_handler);
  std::signal(SIGUSR2, SIG_DFL);
  reporter reports{{.name = "orders"}, directory_.set()};
  EXPECT_EQ(reports.make().number, 1U);
}

TEST_F(ReporterTrigger, DestroyedInAStorm) {
  std::signal(SIGUSR2, SIG_IGN);
  for (int round = 0; round < 5; ++round) {
    reporter reports{{.name = "orders"}, directory_.set()};
    for (int count = 0; count < 50; ++count)
      ::kill(::getpid(), SIGUSR2);
  }
  for (const std::string& each : directory_.reports())
    EXPECT_TRUE(test::is_whole(each));
  EXPECT_EQ(action_of(SIGUSR2).sa_handler, SIG_IGN);
}

}  // namespace
}  // namespace gmr
