#include "gmr/options/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options/parsers.hpp>
#include <csignal>
#include <string>
#include <vector>

#include "option_files.hpp"

namespace {

namespace po = boost::program_options;
using option_files::load;
using option_files::load_error;
using std::chrono::milliseconds;
using testing::HasSubstr;

gmr::settings settings_of(const std::vector<std::string>& arguments) {
  return gmr::settings_from(load(gmr::options(), arguments).values);
}

// The error settings_from gives for --oslo_reports.NAME=VALUE.
std::string settings_error(const std::string& name, const std::string& content) {
  try {
    static_cast<void>(settings_of({"--oslo_reports." + name + "=" + content}));
  } catch (const gmr::option_error& error) {
    EXPECT_EQ(error.option(), "oslo_reports." + name);
    return error.what();
  }
  return "no error";
}

TEST(Options, DefaultsAreThoseOfTheContract) {
  for (const gmr::settings& set : {settings_of({}), gmr::settings_from(po::variables_map{})}) {
    EXPECT_EQ(set.file_event_handler, "");
    EXPECT_EQ(set.file_event_handler_interval, milliseconds{1000});
    EXPECT_EQ(set.log_dir, "");
    EXPECT_TRUE(set.signal == 0 || set.signal == SIGUSR2);
    EXPECT_EQ(set.format, gmr::report_format::text);
    EXPECT_EQ(set.list, gmr::report_list::groups);
    EXPECT_EQ(set.capture_signal, 0);
    EXPECT_EQ(set.stack_bytes, 65536U);
    EXPECT_EQ(set.debug_dirs, "/usr/lib/debug");
    EXPECT_EQ(set.deadline, milliseconds{10000});
    EXPECT_EQ(set.section_deadline, milliseconds{2000});
  }
}

TEST(Options, EveryOneCanBeSet) {
  const gmr::settings set = settings_of(
      {"--oslo_reports.file_event_handler=/run/a file",
       "--oslo_reports.file_event_handler_interval=0.25", "--oslo_reports.log_dir=/var/log/x",
       "--oslo_reports.signal=SIGHUP", "--oslo_reports.format=json", "--oslo_reports.list=each",
       "--oslo_reports.capture_signal=RTMIN+5", "--oslo_reports.stack_bytes=131072",
       "--oslo_reports.debug_dirs=/opt/debug:/usr/lib/debug", "--oslo_reports.deadline_seconds=2.5",
       "--oslo_reports.section_seconds=0.001"});
  EXPECT_EQ(set.file_event_handler, "/run/a file");
  EXPECT_EQ(set.file_event_handler_interval, milliseconds{250});
  EXPECT_EQ(set.log_dir, "/var/log/x");
  EXPECT_EQ(set.signal, SIGHUP);
  EXPECT_EQ(set.format, gmr::report_format::json);
  EXPECT_EQ(set.list, gmr::report_list::each);
  EXPECT_EQ(set.capture_signal, SIGRTMIN + 5);
  EXPECT_EQ(set.stack_bytes, 131072U);
  EXPECT_EQ(set.debug_dirs, "/opt/debug:/usr/lib/debug");
  EXPECT_EQ(set.deadline, milliseconds{2500});
  EXPECT_EQ(set.section_deadline, milliseconds{1});
}

TEST(Options, OfGreenThreads) {
  gmr::settings set = settings_of({});
  EXPECT_EQ(set.order, gmr::group_order::suspicious);
  EXPECT_EQ(set.long_wait, milliseconds{0});
  set = settings_of({"--oslo_reports.list=tree", "--oslo_reports.order=largest",
                     "--oslo_reports.long_wait_seconds=1.5"});
  EXPECT_EQ(set.list, gmr::report_list::tree);
  EXPECT_EQ(set.order, gmr::group_order::largest);
  EXPECT_EQ(set.long_wait, milliseconds{1500});
  EXPECT_EQ(settings_of({"--oslo_reports.order=oldest"}).order, gmr::group_order::oldest);
  EXPECT_THROW(settings_of({"--oslo_reports.order=newest"}), gmr::option_error);
  EXPECT_THROW(settings_of({"--oslo_reports.long_wait_seconds=-1"}), gmr::option_error);
}

TEST(Options, AnEmptyValueIsTheDefault) {
  const option_files::directory files;
  po::options_description described = gmr::options();
  described.add_options()("config-file", po::value<std::string>());
  const gmr::settings set = gmr::settings_from(
      load(described, {"--config-file", files.file("[oslo_reports]\nsignal =\nformat=\nlog_dir=\n"
                                                   "file_event_handler =\ncapture_signal=\n")})
          .values);
  EXPECT_EQ(set.signal, 0);
  EXPECT_EQ(set.capture_signal, 0);
  EXPECT_EQ(set.format, gmr::report_format::text);
  EXPECT_EQ(set.log_dir, "");
  EXPECT_EQ(set.file_event_handler, "");
}

TEST(Options, NoneMeansNeverSignalAThread) {
  EXPECT_EQ(settings_of({"--oslo_reports.capture_signal=none"}).capture_signal, gmr::no_signal);
  EXPECT_EQ(settings_of({"--oslo_reports.signal=none"}).signal, gmr::no_signal);
  EXPECT_EQ(settings_of({"--oslo_reports.capture_signal=auto"}).capture_signal, 0);
}

TEST(Options, OfTheSocket) {
  EXPECT_EQ(settings_of({}).socket, "");
  EXPECT_EQ(settings_of({"--oslo_reports.socket=off"}).socket, "");
  for (const std::string good : {"auto", "@orders", "/run/orders/report.sock"})
    EXPECT_EQ(settings_of({"--oslo_reports.socket=" + good}).socket, good);
  for (const std::string wrong : {"on", "report.sock", "@", "/run/", "./x"}) {
    const std::string error = settings_error("socket", wrong);
    EXPECT_THAT(error, HasSubstr("'" + wrong + "'"));
    EXPECT_THAT(error, HasSubstr("an absolute path, @NAME, auto or off is needed"));
  }
  EXPECT_EQ(settings_of({"--oslo_reports.socket=/" + std::string(106, 'x')}).socket.size(), 107U);
  EXPECT_THAT(settings_error("socket", "/" + std::string(107, 'x')), HasSubstr("107 bytes"));
}

TEST(Options, AutomaticReportsAreLimited) {
  EXPECT_EQ(settings_of({}).reports_per_minute, 6U);
  EXPECT_EQ(settings_of({"--oslo_reports.reports_per_minute=0"}).reports_per_minute, 0U);
  EXPECT_EQ(settings_of({"--oslo_reports.reports_per_minute=1000"}).reports_per_minute, 1000U);
  for (const char* wrong : {"1001", "-1"}) {
    const std::string error = settings_error("reports_per_minute", wrong);
    EXPECT_THAT(error, HasSubstr("'" + std::string(wrong) + "'"));
    EXPECT_THAT(error, HasSubstr("a whole number from 0 (no limit) to 1000 is needed"));
  }
}

TEST(Options, OfFatalErrors) {
  EXPECT_EQ(settings_of({}).on_fatal, gmr::fatal_reports::off);
  EXPECT_EQ(settings_of({}).fatal_deadline, milliseconds{1000});
  EXPECT_EQ(settings_of({"--oslo_reports.on_fatal=raw"}).on_fatal, gmr::fatal_reports::raw);
  const gmr::settings set =
      settings_of({"--oslo_reports.on_fatal=full", "--oslo_reports.fatal_seconds=2.5"});
  EXPECT_EQ(set.on_fatal, gmr::fatal_reports::full);
  EXPECT_EQ(set.fatal_deadline, milliseconds{2500});
  EXPECT_THAT(settings_error("on_fatal", "on"), HasSubstr("one of off, raw, full is needed"));
  EXPECT_THAT(settings_error("fatal_seconds", "61"), HasSubstr("from 0.001 to 60"));
  EXPECT_THAT(settings_error("fatal_seconds", "0"), HasSubstr("'0'"));
}

TEST(Options, WhatIsKeptIsLimited) {
  EXPECT_EQ(settings_of({}).log_keep, 100U);
  EXPECT_EQ(settings_of({}).log_keep_bytes, 1U << 30);
  const gmr::settings set =
      settings_of({"--oslo_reports.log_keep=0", "--oslo_reports.log_keep_bytes=5000000000"});
  EXPECT_EQ(set.log_keep, 0U);
  EXPECT_EQ(set.log_keep_bytes, 5'000'000'000U);
  EXPECT_THAT(settings_error("log_keep", "1000001"), HasSubstr("from 0 (no limit) to 1000000"));
  EXPECT_THAT(settings_error("log_keep_bytes", "-1"), HasSubstr("'-1'"));
}

TEST(Options, Formats) {
  EXPECT_EQ(settings_of({"--oslo_reports.format=html"}).format, gmr::report_format::html);
  EXPECT_EQ(settings_of({"--oslo_reports.format=oslo"}).format, gmr::report_format::oslo);
}

TEST(Options, WhatTheServiceIsWatchedForIsOffUntilItIsAskedFor) {
  const gmr::settings off = settings_of({"--oslo_reports.stall_seconds=0"});
  EXPECT_EQ(off.stall.count(), 0);
  EXPECT_EQ(off.memory_mark + off.descriptors_mark + off.green_threads_mark, 0U);
  const gmr::settings on =
      settings_of({"--oslo_reports.stall_seconds=2.5", "--oslo_reports.memory_mark_bytes=1000000",
                   "--oslo_reports.descriptors_mark=900", "--oslo_reports.green_threads_mark=7"});
  EXPECT_EQ(on.stall, std::chrono::milliseconds{2500});
  EXPECT_EQ(on.memory_mark, 1'000'000U);
  EXPECT_EQ(on.descriptors_mark, 900U);
  EXPECT_EQ(on.green_threads_mark, 7U);
  EXPECT_THAT(settings_error("stall_seconds", "0.05"), HasSubstr("from 0.1 to 1000000"));
  EXPECT_THAT(settings_error("memory_mark_bytes", "-1"), HasSubstr("'-1'"));
}

TEST(Options, ErrorsNameOptionValueAndWhatIsAllowed) {
  EXPECT_EQ(settings_error("list", "all"),
            "oslo_reports.list: 'all' is not acceptable: one of groups, each, tree is needed");
  EXPECT_THAT(settings_error("format", "TEXT"), HasSubstr("one of text, json, html, oslo"));
  EXPECT_THAT(settings_error("signal", "NOPE"), HasSubstr("'NOPE'"));
  EXPECT_THAT(settings_error("signal", "NOPE"), HasSubstr("number or none is needed"));
  EXPECT_THAT(settings_error("capture_signal", "NOPE"), HasSubstr("auto or none"));
}

TEST(Options, SignalsWithAUseOfTheirOwnAreRefused) {
  for (const char* name :
       {"KILL", "STOP", "SEGV", "BUS", "FPE", "ILL", "TRAP", "ABRT", "SYS", "CHLD", "CONT", "9"}) {
    EXPECT_THAT(settings_error("signal", name), HasSubstr("has a use of its own")) << name;
    EXPECT_THAT(settings_error("capture_signal", name), HasSubstr("has a use of its own")) << name;
  }
}

TEST(Options, TheCaptureSignalIsNotTheTriggerSignal) {
  EXPECT_THAT(settings_error("capture_signal", "USR2"), HasSubstr("asks for a report"));
  EXPECT_EQ(settings_of({"--oslo_reports.capture_signal=USR2", "--oslo_reports.signal=USR1"})
                .capture_signal,
            SIGUSR2);
  EXPECT_EQ(settings_of(
                {"--oslo_reports.capture_signal=USR2", "--oslo_reports.file_event_handler=/run/x"})
                .capture_signal,
            SIGUSR2);
}

TEST(Options, NumbersOutOfRangeAreRefused) {
  for (const char* name : {"file_event_handler_interval", "deadline_seconds", "section_seconds"}) {
    for (const char* wrong : {"0", "-1", "0.0001", "nan", "inf", "1e9"})
      EXPECT_THAT(settings_error(name, wrong), HasSubstr("from 0.001 to 1000000")) << name << wrong;
  }
  for (const char* wrong : {"0", "4095", "8388609", "-5"}) {
    const std::string error = settings_error("stack_bytes", wrong);
    EXPECT_THAT(error, HasSubstr("'" + std::string(wrong) + "'"));
    EXPECT_THAT(error, HasSubstr("from 4096 to 8388608"));
  }
}

TEST(Options, WhatIsNoNumberIsRefusedWhenItIsLoaded) {
  for (const char* name : {"file_event_handler_interval", "deadline_seconds", "section_seconds",
                           "stack_bytes", "reports_per_minute", "log_keep", "log_keep_bytes"}) {
    for (const char* wrong : {"abc", "1,5", "1 s", "0x10"}) {
      const std::string option = "oslo_reports." + std::string(name);
      const auto error = load_error(gmr::options(), {"--" + option + "=" + wrong});
      ASSERT_TRUE(error) << option << wrong;
      EXPECT_EQ(error->exit_code(), 64);
      EXPECT_THAT(error->what(), HasSubstr(option));
      EXPECT_THAT(error->what(), HasSubstr("is needed"));
    }
  }
}

TEST(Options, OfAnotherTypeAreRefused) {
  po::options_description own;
  own.add_options()("oslo_reports.format", po::value<int>());
  const auto loaded = load(own, {"--oslo_reports.format=3"});
  EXPECT_THROW(static_cast<void>(gmr::settings_from(loaded.values)), gmr::option_error);
}

TEST(Options, AllAreInTheSectionOfTheContract) {
  const po::options_description described = gmr::options();
  EXPECT_FALSE(described.options().empty());
  for (const auto& option : described.options()) {
    EXPECT_TRUE(option->long_name().starts_with("oslo_reports.")) << option->long_name();
    EXPECT_FALSE(option->description().empty());
  }
}

}  // namespace
