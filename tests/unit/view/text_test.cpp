// The text report as an on-call engineer and a grep see it.
#include "view/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "support.hpp"

namespace gmr::views {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

// Positions of the parts, each after the one before.
void expect_in_order(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t from = 0;
  for (const std::string& part : parts) {
    const std::size_t at = text.find(part, from);
    ASSERT_NE(at, std::string::npos) << part << " after " << from << " in\n" << text;
    from = at + part.size();
  }
}

class TextReport : public testing::Test {
 protected:
  std::string text() { return to_text(outlines::arrange(builder_.made)); }
  report& made() { return builder_.made; }
  test::report_builder builder_;
};

TEST_F(TextReport, HasItsPartsInOrderBetweenTheBanners) {
  made().coalesced = 12;
  made().refused = 1;
  made().configuration.push_back({"http", "port", 8080, "orders.conf:3"});
  made().sections.push_back({"Orders", 3, {}});
  made().sections.push_back({"Cache", {}, "no luck"});
  const std::string out = text();
  expect_in_order(out, {"==== Guru Meditation\n",
                        "signal SIGUSR2",
                        "2023-11-14T22:13:20.125Z",
                        "web-3",
                        "7 (answers 12 requests, 1 automatic one refused since the last report)",
                        "no findings",
                        "==== Package\n",
                        "1.4.2",
                        "==== Process\n",
                        "811",
                        "==== Threads\n",
                        "==== Green Threads\n",
                        "==== Configuration\n",
                        "[http]",
                        "port = 8080  (orders.conf:3)",
                        "==== Orders\n",
                        "3",
                        "==== Cache\n",
                        "no luck",
                        "==== End of Guru Meditation\n"});
  EXPECT_EQ(lines_of(out).front(), std::string(72, '='));
  EXPECT_EQ(lines_of(out).back(), std::string(72, '='));
}

TEST_F(TextReport, TheVerdictComesFirst) {
  made().findings.push_back(
      {finding_kind::deadlock, "threads 812 and 813 wait for each other", {812, 813}, {5}});
  expect_in_order(text(), {"Findings:", "deadlock: threads 812 and 813 wait", "threads 812, 813",
                           "green threads 5", "==== Package"});
  EXPECT_THAT(text(), Not(HasSubstr("no findings")));
}

TEST_F(TextReport, AFindingBringsTheStacksOfItsThreads) {
  builder_.add_thread(812, "io-1", {builder_.add_frame("orders::put", "/src/cache.cpp", 57)});
  builder_.add_thread(813, "io-2", {builder_.add_frame("orders::get", "/src/cache.cpp", 90)});
  made().findings.push_back({finding_kind::deadlock, "of two", {813, 812}, {}, 2});
  made().findings.push_back({finding_kind::convoy, "of two", {812, 813}, {}, 1});
  expect_in_order(text(), {"* deadlock: of two", "threads 813, 812",
                           "  thread 813 io-2:", "    #0  orders::get at ",
                           "  thread 812 io-1:", "    #0  orders::put at ", "* convoy: of two",
                           "  thread 812 io-1:", "    #0  orders::put at ", "==== Package"});
  const std::string head = text().substr(0, text().find("==== Package"));
  EXPECT_EQ(head.rfind("thread 813"), head.find("thread 813 io-2"));
}

TEST_F(TextReport, ManyStacksOfAFindingAreAnnounced) {
  finding& found =
      made().findings.emplace_back(finding{finding_kind::deadlock, "of twelve", {}, {}, 12});
  for (int i = 0; i < 12; ++i) {
    found.threads.push_back(900 + i);
    builder_.add_thread(900 + i, "io", {builder_.add_frame("f", "/src/f.cpp", 1)});
  }
  const std::string head = text().substr(0, text().find("==== Package"));
  expect_in_order(head, {"  thread 909 io:", "  and 2 threads more: see Threads"});
  EXPECT_THAT(head, Not(HasSubstr("thread 910 io")));
}

TEST_F(TextReport, AThreadsHeaderSaysWhatItDoesThenWhatItUsed) {
  thread_info& thread =
      builder_.add_thread(812, "io-1", {builder_.add_frame("lock", "/srv/src/a.cpp", 12)});
  thread.cpu->recent_percent = 98.4;
  thread.capture = capture_outcome::truncated;
  thread.runs = 17;
  thread.waits_for = wait_info{wait_kind::mutex, {}, 0x7f00, 813, {}, {}, 12.3};
  const std::string out = text();
  expect_in_order(out, {"---- Thread 812 io-1: sleeping, stack truncated, runs green thread 17, "
                        "waits for mutex 0x7f00 held\n",
                        "    by thread 813 for 12.3 s, cpu 1.8 s (now 98 %)\n", "  #0 "});
}

TEST_F(TextReport, ThreadsWithTheSameStackAreTogether) {
  const frame* const shared = builder_.add_frame("wait", "/srv/src/a.cpp", 12);
  builder_.add_thread(811, "main", {builder_.add_frame("main", "/srv/src/main.cpp", 3)});
  builder_.add_thread(812, "io-1", {shared});
  builder_.add_thread(813, "io-2", {shared});
  const std::string out = text();
  expect_in_order(out, {"3 threads, 2 different stacks", "---- Thread 811 main",
                        "---- Threads 812, 813 (2): same stack", "812 io-1: ", "813 io-2: ", "#0"});
  EXPECT_EQ(out.find("a.cpp:12"), out.rfind("a.cpp:12"));
}

TEST_F(TextReport, ThreadsWithoutAStackStayApart) {
  builder_.add_thread(812, "a", {}).capture = capture_outcome::exited;
  builder_.add_thread(813, "b", {}).capture = capture_outcome::signal_blocked;
  expect_in_order(text(), {"812 a: ", "exited", "(no stack)", "813 b: ", "signal_blocked"});
}

TEST_F(TextReport, FramesAreInnermostFirstWithTheirPlace) {
  frame inlined = *builder_.add_frame("inner", "/srv/src/a.cpp", 12);
  inlined.inlined = true;
  frame no_file = *builder_.add_frame("epoll_wait", "", 0);
  no_file.module = "/lib/libc.so.6";
  frame nothing;
  nothing.address = 0xabc;
  builder_.add_thread(
      812, "x", {&inlined, builder_.add_frame("outer", "/srv/lib/b.cpp", 5), &no_file, &nothing});
  const std::string out = text();
  expect_in_order(out, {"#0  inner at src/a.cpp:12 (inlined)", "#1  outer at lib/b.cpp:5",
                        "#2  epoll_wait in libc.so.6+0x1002", "#3  0xabc"});
  EXPECT_THAT(out, HasSubstr("Source paths are relative to /srv/"));
}

TEST_F(TextReport, RunsOfLibraryFramesAreFoldedButNeverTheInnermost) {
  std::vector<const frame*> frames;
  for (int count = 0; count < 5; ++count)
    frames.push_back(builder_.add_frame("boost::asio::detail::f" + std::to_string(count),
                                        "/usr/include/boost/asio/x.hpp", 1, true));
  frames.push_back(builder_.add_frame("session::run", "/srv/src/a.cpp", 12));
  frames.push_back(builder_.add_frame("std::thread::run", "", 0, true));
  builder_.add_thread(812, "x", frames);
  expect_in_order(text(), {"#0  boost::asio::detail::f0", "... 4 frames of Boost.Asio ...",
                           "#5  session::run", "#6  std::thread::run"});
}

// A thread of a pool that has nothing to do.
TEST_F(TextReport, AStackOfLibraryFramesAloneIsTheCallAndOneLine) {
  std::vector<const frame*> frames{builder_.add_frame("epoll_wait", "", 0, true)};
  for (int count = 0; count < 10; ++count)
    frames.push_back(
        builder_.add_frame("boost::asio::detail::f" + std::to_string(count), "", 0, true));
  frames.push_back(builder_.add_frame("std::thread::run", "", 0, true));
  builder_.add_thread(812, "x", frames);
  EXPECT_THAT(text(), HasSubstr("  #0  epoll_wait in orders+0x1001\n"
                                "  ... 11 frames of Boost.Asio and the standard library ...\n\n"));
}

TEST_F(TextReport, TheSwitchOfASuspendedFiberFoldsWithItsLibrary) {
  green_thread_group& group = builder_.add_group(
      1, {builder_.add_frame("jump_fcontext", "", 0, true),
          builder_.add_frame("boost::context::detail::fiber_ontop", "", 0, true),
          builder_.add_frame("boost::asio::detail::spawned_thread_base::suspend", "", 0, true),
          builder_.add_frame("session::run", "/srv/src/a.cpp", 12),
          builder_.add_frame("boost::asio::spawn", "", 0, true),
          builder_.add_frame("boost::context::detail::fiber_entry", "", 0, true),
          builder_.add_frame("gmr_fiber_entry", "", 0, true)});
  group.kind = green_thread_kind::fiber;
  expect_in_order(
      text(), {"id 1\n  ... 3 frames of Boost.Context and Boost.Asio ...\n",
               "  #3  session::run at ", "\n  ... 3 frames of Boost.Asio and Boost.Context ...\n"});
}

TEST_F(TextReport, TheReportersOwnStackIsFoldedToo) {
  std::vector<const frame*> frames;
  for (int count = 0; count < 5; ++count)
    frames.push_back(builder_.add_frame("gmr::f" + std::to_string(count), "", 0, true));
  builder_.add_thread(812, "gmr-reporter", frames).is_reporter = true;
  expect_in_order(text(), {"makes this report", "#0  gmr::f0", "... 4 frames of gmr ..."});
}

TEST_F(TextReport, PathsAreRelativeOnlyToADirectoryThatFilesShare) {
  builder_.add_thread(812, "x",
                      {builder_.add_frame("f", "/srv/lib/only.S", 1),
                       builder_.add_frame("g", "../../apps/main.cpp", 2),
                       builder_.add_frame("h", "./nptl/x.c", 3)});
  const std::string out = text();
  EXPECT_THAT(out, Not(HasSubstr("are relative to")));
  expect_in_order(out, {"f at /srv/lib/only.S:1", "g at apps/main.cpp:2", "h at nptl/x.c:3"});
}

TEST_F(TextReport, AGroupOfGreenThreadsSaysHowManyWhichAndSinceWhen) {
  green_thread_group& group =
      builder_.add_group(200, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  group.oldest_seconds = 192;
  group.newest_seconds = 1.2;
  group.names = {"a", "b"};
  group.waits_for = wait_info{wait_kind::operation, "read", {}, {}, 9, "127.0.0.1:5", {}};
  expect_in_order(
      text(),
      {"200 green threads, 1 different stack",
       "---- 200 coroutines suspended for 1.2 s to 3 min 12 s, waiting for read on descriptor",
       "ids 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 190 more", "named a, b",
       "#0  session at /srv/src/session.cpp:42"});
}

TEST_F(TextReport, WhatATimerEndsIsSaidAsOfATimer) {
  green_thread_group& group =
      builder_.add_group(1, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  group.waits_for = wait_info{wait_kind::operation, "shop::async_pay", {}, {}, {}, {}, 3540};
  expect_in_order(text(), {"waiting for shop::async_pay", "still for 59 min"});
}

TEST_F(TextReport, OperationsStandWithTheFirstGreenThreadsOfAGroup) {
  green_thread_group& group =
      builder_.add_group(12, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  for (std::uint64_t id = 1; id <= 12; ++id)
    group.operations.push_back({id, "read", false, 40, "tcp [::1]:80 - [::1]:99", {}});
  group.operations[1].ready = true;
  group.operations[2] = {3, "timer", true, {}, "", -3.0};
  const std::string out = text();
  expect_in_order(out, {"ids 1, 2", "1: read on descriptor 40 (tcp [::1]:80 - [::1]:99)",
                        "2: read on descriptor 40 (tcp [::1]:80 - [::1]:99), ready",
                        "3: timer, overdue for 3.0 s, ready", "10: read",
                        "and those of 2 more green threads", "#0  session"});
  EXPECT_THAT(out, Not(HasSubstr("11: read")));
}

TEST_F(TextReport, OperationsThatNobodyWaitsForHaveTheirSection) {
  EXPECT_THAT(text(), Not(HasSubstr("Operations")));
  made().operations = {{40, "read", false, 0x7f10, {812, 813}, 9.5, 1.5, {}},
                       {1, "timer", true, 0x7f10, {}, {}, {}, {{{}, "", {}, -1.5}}},
                       {2, "signal", false, 0x7f10, {}, 3.0, 3.0, {{}, {}}}};
  made().operations[0].operations.assign(20, {12, "tcp a - b", 9.5, {}});
  expect_in_order(
      text(),
      {"==== Operations\n", "43 operations that no green thread waits for\n",
       "---- 40 operations pending for 1.5 s to 9.5 s: read\n",
       "event loop 0x7f10, run by threads 812, 813\n", "  descriptor 12 (tcp a - b), for 9.5 s\n",
       "  and 30 more\n", "---- 1 operation ready: timer\nevent loop 0x7f10\n  overdue for 1.5 s\n",
       "---- 2 operations pending for 3.0 s: signal\nevent loop 0x7f10\n\n",
       "====", "Configuration"});
}

// One of them may have been closed since it was begun.
TEST_F(TextReport, AnOperationOfWhichNothingIsKnownHidesNoOther) {
  made().operations = {{12, "read", false, 0x7f10, {}, 9.5, 1.5, {{}, {12, "", 1.5, {}}}}};
  expect_in_order(
      text(), {"---- 12 operations pending", "  descriptor 12, for 1.5 s\n", "  and 11 more\n"});
}

TEST_F(TextReport, EventLoopsStandBeforeTheGreenThreads) {
  builder_.add_group(1, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  made().green_threads.event_loops = {{0x7f10, 3, 51, 1.5, {812, 813}}, {0x7f20, 0, 1, {}, {}}};
  expect_in_order(
      text(),
      {"==== Green Threads",
       "Event loop 0x7f10: 3 handlers queued, the first for 1.5 s; 51 operations", "812, 813",
       "Event loop 0x7f20: no handler queued; 1 operation pending\n", "---- 1 coroutine"});
}

TEST_F(TextReport, ListedGreenThreadsShareTheirStacks) {
  made().list = report_list::each;
  made().green_threads.count = 3;
  made().green_threads.stacks.resize(2);
  made().green_threads.stacks[0].frames = {builder_.add_logical("a", "/srv/a.cpp", 1)};
  made().green_threads.stacks[1].frames = {builder_.add_logical("b", "/srv/b.cpp", 2)};
  for (std::uint32_t id = 1; id <= 3; ++id) {
    green_thread_info& each = made().green_threads.listed.emplace_back();
    each.id = id;
    each.stack = id == 2 ? 1 : 0;
    each.name = "name" + std::to_string(id);
  }
  const std::string out = text();
  expect_in_order(out, {"---- Stack 0: 2 green threads", "1 name1", "3 name3", "#0  a",
                        "---- Stack 1", "2 name2", "#0  b"});
}

TEST_F(TextReport, AGroupSaysWhatItsGreenThreadsAreCalled) {
  green_thread_group& group =
      builder_.add_group(2, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  group.labels = {{"request", {"17", "18"}}};
  group.parents = {5};
  group.parent_of = {{1, 5}, {2, 5}};
  group.with_parent = 2;
  group.long_running = true;
  group.stack_bytes = 65536;
  group.high_water_bytes = 8192;
  expect_in_order(text(), {"expected to wait long", "labelled request = 17, 18", "awaited by 5",
                           "stack of 64.0 KiB, at most 8.0 KiB used"});
}

TEST_F(TextReport, WhoAwaitsIsSaidOfThoseThatAreAwaited) {
  green_thread_group& group =
      builder_.add_group(2, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  group.ids = {4, 12};
  group.parents = {6};
  group.parent_of = {{12, 6}};
  group.with_parent = 1;
  EXPECT_THAT(text(), HasSubstr("ids 4, 12\n12 awaited by 6\n"));
  group.kind = green_thread_kind::fiber;
  group.count = 40;
  group.with_parent = 38;
  group.parents = {1, 6};
  group.parent_of = {{4, 1}, {12, 6}};
  EXPECT_THAT(text(), HasSubstr("\n4 resumed by 1, 12 resumed by 6 and 36 more\n"));
}

TEST_F(TextReport, LabelsOfAGroupTakeOneLine) {
  green_thread_group& group =
      builder_.add_group(15, {builder_.add_logical("session", "/srv/src/session.cpp", 42)});
  for (char each = 'a'; each < 'p'; ++each)
    group.labels["client"].emplace_back(36, each);
  EXPECT_THAT(text(),
              testing::HasSubstr("labelled client = " + std::string(36, 'a') + " and 14 more\n"));
}

TEST_F(TextReport, ATreeShowsWhereStacksPart) {
  made().list = report_list::tree;
  const frame* const serve = builder_.add_logical("serve", "/srv/a.cpp", 1);
  const frame* const run = builder_.add_frame("boost::asio::run", "", 0, true);
  builder_.add_group(3, {builder_.add_logical("read", "/srv/a.cpp", 7), run, serve});
  builder_.add_group(5, {builder_.add_logical("write", "/srv/a.cpp", 9), serve});
  const std::string out = text();
  expect_in_order(out, {"---- Call tree", "8  serve at /srv/a.cpp:1", "  5  write at /srv/a.cpp:9",
                        "  5  5 coroutines suspended", "  3  read at", "  3  3 coroutines"});
  EXPECT_THAT(out, Not(HasSubstr("boost::asio::run")));
}

TEST_F(TextReport, LimitsAreAnnounced) {
  made().notes = {"the time was over"};
  made().green_threads.notes = {"a scheduler threw"};
  builder_.add_thread(812, "x", {builder_.add_frame("f", "/srv/a.cpp", 1)}).stack.truncated = true;
  EXPECT_THAT(text(), testing::AllOf(HasSubstr("the time was over"), HasSubstr("a scheduler threw"),
                                     HasSubstr("outer frames are missing")));
}

TEST_F(TextReport, NothingHostileReachesTheTerminalFromAnywhere) {
  const std::string& bad = test::hostile;
  made().cause = made().host = made().package.name = bad;
  made().package_details = made().process = test::all_kinds();
  made().findings.push_back({finding_kind::convoy, bad, {}, {}});
  made().notes = made().green_threads.notes = {bad};
  made().configuration.push_back({bad, bad, bad, bad});
  made().sections.push_back({bad, bad, {}});
  made().sections.push_back({bad, {}, bad});
  thread_info& thread = builder_.add_thread(1, bad, {builder_.add_frame(bad, bad, 1)});
  thread.note = thread.stack.note = bad;
  thread.waits_for = wait_info{wait_kind::operation, bad, {}, {}, {}, bad, {}};
  builder_.add_group(1, {builder_.add_logical(bad, bad, 2)}).names = {bad};
  const std::string out = text();
  for (const char c : out)
    ASSERT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  EXPECT_THAT(out, Not(HasSubstr("\xff")));
  EXPECT_THAT(out, Not(HasSubstr("\xe2\x80\xae")));
}

TEST_F(TextReport, AnOptionThatWasGivenTwiceIsShownOnce) {
  made().configuration = {
      {"a", "x", 1, "default"}, {"b", "y", 2, "default"}, {"a", "x", 3, "command line"}};
  const std::string out = text();
  EXPECT_THAT(out, HasSubstr("x = 3  (command line)"));
  EXPECT_THAT(out, Not(HasSubstr("x = 1")));
  EXPECT_EQ(out.find("[a]"), out.rfind("[a]"));
}

}  // namespace
}  // namespace gmr::views
