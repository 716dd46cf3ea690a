// gmr explain and gmr diff over reports of services that were stuck, two of each: tests/runbook,
// and services written in other ways (callbacks, without gmr::trace_ops, without coroutines).
// Frames that say nothing of the case were left out of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "diff/tables.hpp"
#include "exit_codes.hpp"
#include "explain/output.hpp"
#include "reports/parse.hpp"
#include "reports/read.hpp"
#include "support/scratch_directory.hpp"

namespace gmr_command {
namespace {

using explanations::conclude;
using explanations::explanation;
using explanations::print_json;
using explanations::print_text;
using explanations::suspect;
using reports::series;
using testing::HasSubstr;

series reports_of(const std::string& name) {
  return series{reports::read({std::string{GMR_REPORTS "/"} + name + ".json"})};
}

struct expected {
  std::string name;
  std::string verdict;
  std::string suspect;
  std::string function;  // empty: none is known
  bool has_thread = false;
  std::string lock = {};  // its kind
  std::string peer = {};  // a part of it

  friend void PrintTo(const expected& shown, std::ostream* to) { *to << shown.name; }
};

class Explain : public testing::TestWithParam<expected> {};

TEST_P(Explain, NamesTheCulprit) {
  const expected& wanted = GetParam();
  const explanation made = conclude(reports_of(wanted.name));
  EXPECT_EQ(made.verdict, wanted.verdict);
  ASSERT_FALSE(made.suspects.empty());
  const suspect& first = made.suspects.front();
  EXPECT_EQ(word(first.kind), wanted.suspect);
  EXPECT_EQ(first.at ? first.at->function : "", wanted.function);
  EXPECT_EQ(first.thread.has_value(), wanted.has_thread);
  EXPECT_EQ(first.lock ? first.lock->kind : "", wanted.lock);
  EXPECT_THAT(first.peer, HasSubstr(wanted.peer));
  EXPECT_FALSE(first.evidence.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Explain,
    testing::Values(
        expected{"deadlock", "deadlock", "deadlock", "transfer", true, "mutex"},
        expected{"shared_mutexes", "deadlock", "deadlock", "add_user", true, "rwlock"},
        expected{"lock_across_suspension", "lock_across_suspension", "lock_across_suspension",
                 "cache::refresh", true, "mutex"},
        expected{"lock_held", "lock_held", "lock_held", "refresh", true, "mutex"},
        expected{"blocked_loop", "blocked_loop", "blocked_loop", "ask_for_price", true, "",
                 "127.0.0.1:44095"},
        expected{"callbacks", "blocked_loop", "blocked_loop", "session::work", true},
        expected{"exhausted_pool", "exhausted_pool", "exhausted_pool", "render_page", true,
                 "futex"},
        expected{"exhausted_connections", "quiet", "exhausted_pool", "db::acquire", true,
                 "condition"},
        expected{"cpu_spin", "spinning_thread", "spinning_thread", "count_fields", true},
        expected{"pool_spin", "spinning_thread", "spinning_thread", "wait_for_flag", true},
        expected{"leaked_coroutines", "growing_group", "growing_group", "await_answer"},
        expected{"descriptor_leak", "descriptor_leak", "descriptor_leak", ""},
        expected{"file_leak", "descriptor_leak", "descriptor_leak", ""},
        expected{"slow_peer", "slow_peer", "slow_peer", "send_answer", false, "",
                 "127.0.0.1:57828"},
        expected{"silent_backend", "slow_peer", "slow_peer", "ask_backend", false, "",
                 " - 127.0.0.1:"},
        expected{"lost_wakeup", "quiet", "lost_wakeup", "worker::take_job", true, "condition"},
        expected{"coroutine_lost_wakeup", "quiet", "lost_wakeup", "event::wait"}),
    [](const auto& each) { return each.param.name; });

class ExplainHealthy : public testing::TestWithParam<std::string> {};

TEST_P(ExplainHealthy, SuspectsNobody) {
  const series both = reports_of(GetParam());
  for (const series& asked : {both, series{{both.first()}}, series{{both.last()}}}) {
    const explanation made = conclude(asked);
    EXPECT_EQ(made.verdict, "healthy");
    EXPECT_TRUE(made.suspects.empty()) << made.suspects.front().text;
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, ExplainHealthy,
                         testing::Values("healthy_echo", "healthy_fibers", "healthy_pool"),
                         [](const auto& each) { return each.param; });

TEST(ExplainOne, ReportWithALateEventLoopNamesWhoBlocksIt) {
  const explanation made = conclude(series{{reports_of("blocked_loop").last()}});
  EXPECT_EQ(made.verdict, "blocked_loop");
  EXPECT_THAT(made.summary, HasSubstr("ask_for_price"));
}

TEST(ExplainThrottled, ComparesTheControlGroup) {
  series both = reports_of("healthy_pool");
  std::vector<reports::report> all = both.all();
  ASSERT_FALSE(all.front().process.throttled_seconds);
  all.front().process.throttled_seconds = 10;
  all.back().process.throttled_seconds = 10 + 0.5 * both.seconds();
  const explanation made = conclude(series{std::move(all)});
  ASSERT_EQ(made.verdict, "throttled");
  EXPECT_TRUE(made.suspects.front().thread);
}

TEST(ExplainThrottled, AGroupThatWasNotHeldUpIsNotThrottled) {
  std::vector<reports::report> all = reports_of("healthy_pool").all();
  for (reports::report& each : all)
    each.process.throttled_seconds = 10;
  EXPECT_EQ(conclude(series{all}).verdict, "healthy");
}

TEST(ReportsTwice, AreOneReport) {
  std::vector<reports::report> all = reports_of("healthy_pool").all();
  all.erase(all.begin());
  all.push_back(all.front());
  all.front().process.throttled_seconds = all.back().process.throttled_seconds = 10;
  const series once{std::move(all)};
  EXPECT_FALSE(once.compares());
  EXPECT_EQ(once.all().size(), 1U);
  EXPECT_EQ(conclude(once).verdict, "healthy");
}

TEST(ReportsOfAnybody, DoNotCommandTheTerminal) {
  const auto text = nlohmann::json::parse(R"({"schema": 4,
    "findings": [{"kind": "deadlock", "text": "a\u001b[2Jb", "threads": [7]}],
    "threads": [{"id": 7, "name": "c\u001b]0;d\u0007", "state": "sleeping", "frames": []}],
    "green_threads": {"groups": [{"count": 1, "names": ["e\u001b"], "frames": []}]},
    "configuration": {"f\u001b": {"g\u009b": {"value": "h\u001b"}}},
    "process": {"pid": 1}})");
  const reports::report read = reports::parse(text);
  EXPECT_EQ(read.findings.at(0).text, "a\\x1b[2Jb");
  EXPECT_EQ(read.threads.at(0).name, "c\\x1b]0;d\\x07");
  EXPECT_EQ(read.groups.at(0).names.at(0), "e\\x1b");
  EXPECT_EQ(read.options.begin()->second, "h\\x1b");
  std::ostringstream shown;
  const series one{{read}};
  explanations::print_text(shown, one, conclude(one));
  EXPECT_EQ(shown.str().find('\x1b'), std::string::npos) << shown.str();
  EXPECT_THAT(read.options.begin()->first, testing::Not(HasSubstr("\x1b")));
}

TEST(ExplainDescriptors, ThatAreFewerThanBeforeAreNotSaidToGrow) {
  std::vector<reports::report> all = reports_of("healthy_fibers").all();
  const double limit = *all.back().process.descriptor_limit;
  all.front().process.descriptors = limit;
  all.back().process.descriptors = limit - 1;
  const explanation made = conclude(series{std::move(all)});
  ASSERT_EQ(made.verdict, "descriptor_leak");
  EXPECT_EQ(made.summary, "Nearly all descriptors that the process may have are in use.");
}

TEST(ExplainDescriptors, OfMoreSessionsAreNoLeak) {
  std::vector<reports::report> all = reports_of("healthy_fibers").all();
  *all.back().process.descriptors += 30;
  EXPECT_EQ(conclude(series{all}).verdict, "descriptor_leak");
  all.back().green_threads += 30;
  EXPECT_EQ(conclude(series{all}).verdict, "healthy");
  *all.back().process.descriptors = *all.back().process.descriptor_limit;
  EXPECT_EQ(conclude(series{all}).verdict, "descriptor_leak");
}

TEST(ExplainPeers, ThatSendNothingAreNoTroubleWhereOtherThingsGoOn) {
  std::vector<reports::report> all = reports_of("silent_backend").all();
  EXPECT_EQ(conclude(series{all}).verdict, "slow_peer");
  *all.back().threads.front().cpu_seconds += 2;
  EXPECT_EQ(conclude(series{all}).verdict, "healthy");
  // Others that are in the same place get their answers.
  const auto waits = std::ranges::find_if(all.back().groups, [](const auto& each) {
    return each.waits_for && each.waits_for->kind == "read";
  });
  ASSERT_NE(waits, all.back().groups.end());
  waits->newest_seconds = 0.1;
  EXPECT_EQ(conclude(series{all}).verdict, "slow_peer");
}

TEST(ExplainOverloaded, NamesALoopThatIsLateInEveryReportUnlessTheMachineIsBusy) {
  std::vector<reports::report> all = reports_of("healthy_echo").all();
  for (reports::report& each : all) {
    each.event_loops.at(0).oldest_seconds = 2;
    each.threads.at(0).waiting_seconds = 0;
  }
  EXPECT_EQ(conclude(series{all}).verdict, "event_loop_delayed");
  all.back().threads.at(0).waiting_seconds = 2;
  EXPECT_EQ(conclude(series{all}).verdict, "healthy");
  all.front().event_loops.at(0).oldest_seconds = 0.1;
  EXPECT_EQ(conclude(series{all}).verdict, "healthy");
}

TEST(ExplainThrottled, DoesNotHideWhatWaits) {
  std::vector<reports::report> all = reports_of("lost_wakeup").all();
  all.back().findings.push_back(
      {.kind = "cpu_throttled", .text = "Throttled", .threads = {}, .green_threads = {}});
  const explanation made = conclude(series{std::move(all)});
  EXPECT_EQ(made.verdict, "quiet");
  EXPECT_EQ(word(made.suspects.front().kind), "throttled");
  EXPECT_EQ(word(made.suspects.back().kind), "lost_wakeup");
}

TEST(ExplainThrottled, ReadsTheLimitsOfTheGroupAndNotWhatHasChangedInIt) {
  const auto text = nlohmann::json::parse(R"({"schema": 4, "threads": [], "process": {"pid": 1},
    "control_group": {"since_last": {"throttled_periods": 1, "throttled_seconds": 0.1},
                      "cpu": {"group": "/a", "periods": 20, "throttled_periods": 7,
                              "throttled_seconds": 1.5}}})");
  const reports::process read = reports::parse(text).process;
  EXPECT_EQ(read.throttled_seconds, 1.5);
  EXPECT_EQ(read.throttled_periods, 7);
  EXPECT_EQ(read.periods, 20);
}

TEST(ExplainJson, HasAllForPrograms) {
  const series both = reports_of("deadlock");
  std::ostringstream text;
  print_json(text, both, conclude(both));
  const auto made = nlohmann::json::parse(text.str());
  const auto& first = made.at("suspects").at(0);
  EXPECT_EQ(made.at("verdict"), "deadlock");
  EXPECT_EQ(first.at("kind"), "deadlock");
  EXPECT_EQ(first.at("frame").at("line"), 20);
  EXPECT_TRUE(first.at("lock").at("holder").is_number());
  EXPECT_GT(first.at("since_seconds"), 0);
  EXPECT_EQ(made.at("stuck").size(), 3U);  // the two, and main, which waits for their end
  for (const char* key : {"moved", "growing", "cpu"})
    EXPECT_TRUE(made.at(key).is_array()) << key;
}

TEST(ExplainKinds, AreAllOnThePageForAssistants) {
  std::ifstream from{GMR_AGENTS};
  const std::string page{std::istreambuf_iterator<char>{from}, {}};
  for (int kind = 0; kind <= static_cast<int>(explanations::suspect_kind::lost_wakeup); ++kind) {
    const std::string name = word(static_cast<explanations::suspect_kind>(kind));
    EXPECT_THAT(page, HasSubstr("\n| `" + name + "` | "));
  }
}

TEST(ReportsInOrder, OfTimeAndNotOfTheCommandLine) {
  std::vector<reports::report> all = reports_of("leaked_coroutines").all();
  std::ranges::reverse(all);
  const series ordered{std::move(all)};
  EXPECT_LT(ordered.first().at, ordered.last().at);
  EXPECT_GT(ordered.seconds(), 0);
}

TEST(ReportsInOrder, OfDifferentProcessesAreRefused) {
  std::vector<reports::report> all = reports_of("deadlock").all();
  all.push_back(reports_of("slow_peer").first());
  try {
    const series refused{std::move(all)};
    FAIL();
  } catch (const failure& error) {
    EXPECT_EQ(error.code(), exit_bad_data);
    EXPECT_THAT(error.what(), HasSubstr("different processes"));
  }
}

// What reports of a healthy service say, with parts that they could not see.
class NotSeen : public testing::Test {
 protected:
  template <class Change>
  static explanation of(Change change) {
    std::vector<reports::report> all = reports::read({GMR_REPORTS "/healthy_echo.json"});
    for (reports::report& each : all)
      change(each);
    return conclude(series{std::move(all)});
  }
};

TEST_F(NotSeen, NothingInACompleteReport) {
  const explanation made = of([](const reports::report&) {});
  EXPECT_EQ(made.verdict, "healthy");
  EXPECT_THAT(made.not_seen, testing::IsEmpty());
}

TEST_F(NotSeen, ThreadsWithoutAStackAreNoProofOfHealth) {
  const explanation made = of([](reports::report& each) {
    for (reports::thread& thread : each.threads)
      thread.frames.clear();
  });
  EXPECT_EQ(made.verdict, "inconclusive");
  EXPECT_THAT(made.summary, HasSubstr("no stack"));
}

TEST_F(NotSeen, NotesOfTheWholeReportAreSaidOnceInTextAndJson) {
  const std::string lost = "what 3 threads wait for is not known, so there may be deadlocks";
  std::vector<reports::report> all = reports::read({GMR_REPORTS "/healthy_echo.json"});
  for (reports::report& each : all)
    each.main_notes = each.notes = {lost};
  const series compared{std::move(all)};
  const explanation made = conclude(compared);
  EXPECT_EQ(made.verdict, "inconclusive");
  std::ostringstream text;
  print_text(text, compared, made);
  EXPECT_THAT(text.str(), HasSubstr("\nNot seen:\n  - " + lost + "\n"));
  std::ostringstream json;
  print_json(json, compared, made);
  EXPECT_EQ(nlohmann::json::parse(json.str())["not_seen"], nlohmann::json::array({lost}));
}

TEST_F(NotSeen, NamesThatAreMissingHideNoTrouble) {
  const explanation made = of([](reports::report& each) {
    each.main_notes = {
        "/lib/x.so was replaced on disk since it was loaded: its names are those of "
        "its dynamic symbols"};
  });
  EXPECT_EQ(made.verdict, "healthy");
  EXPECT_EQ(made.not_seen.size(), 1U);
}

TEST_F(NotSeen, GreenThreadsThatTheTimeWasTooShortFor) {
  const explanation made = of([](reports::report& each) {
    each.main_notes = {"7 places in the code have no name: the time for the report was over"};
  });
  EXPECT_EQ(made.verdict, "inconclusive");
}

// As the library writes them.
TEST(NotesOfReports, AreReadFromTheirCost) {
  using nlohmann::json;
  const json text{{"schema", 9},
                  {"process", json::object()},
                  {"threads", json::array()},
                  {"notes", {"whole"}},
                  {"green_threads", {{"notes", {"green"}}, {"groups", json::array()}}},
                  {"cost", {{"notes", {"whole", "green", "thread 7: no stack"}}}}};
  const reports::report made = reports::parse(text);
  EXPECT_THAT(made.main_notes, testing::ElementsAre("whole", "green"));
  EXPECT_THAT(made.notes, testing::ElementsAre("whole", "green", "thread 7: no stack"));
}

TEST(Diff, HasAColumnForEachReport) {
  std::ostringstream text;
  differences::print(text, reports_of("leaked_coroutines"));
  EXPECT_THAT(text.str(), testing::ContainsRegex("31 +95 .*channel receive +await_answer"));
  EXPECT_THAT(text.str(), testing::ContainsRegex("green threads +32 +96"));
}

TEST(Diff, ShowsOptionsThatChanged) {
  std::vector<reports::report> all = reports_of("deadlock").all();
  all.front().options = {{"orders.port", "1"}, {"orders.host", "a"}};
  all.back().options = {{"orders.port", "2"}, {"orders.host", "a"}};
  std::ostringstream text;
  differences::print(text, series{std::move(all)});
  EXPECT_THAT(text.str(), testing::ContainsRegex("orders.port +1 +2"));
  EXPECT_THAT(text.str(), testing::Not(HasSubstr("orders.host")));
}

}  // namespace
}  // namespace gmr_command
