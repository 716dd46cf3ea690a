// The JSON report, read by a parser and a validator that we did not write.
#include "view/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support.hpp"

namespace gmr::views {
namespace {

namespace fs = std::filesystem;

class JsonReport : public testing::Test {
 protected:
  report& made() { return builder_.made; }

  rapidjson::Document parsed() {
    const std::string json = to_json(outlines::arrange(made()));
    EXPECT_EQ(json.find('\n'), json.size() - 1) << "one line";
    rapidjson::Document out;
    out.Parse<rapidjson::kParseValidateEncodingFlag>(json.c_str(), json.size());
    EXPECT_FALSE(out.HasParseError()) << out.GetParseError() << " at " << out.GetErrorOffset();
    return out;
  }

  // Against docs/report.schema.json, with Python's jsonschema.
  void expect_valid() {
    const fs::path file =
        fs::temp_directory_path() / ("gmr-json-" + std::to_string(::getpid()) + ".json");
    std::ofstream{file, std::ios::binary} << to_json(outlines::arrange(made()));
    const std::string command =
        std::string{"/usr/bin/python3 "} + GMR_VALIDATE + " " + GMR_SCHEMA + " " + file.string();
    const int status = std::system(command.c_str());
    fs::remove(file);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "does not fit the schema";
  }

  test::report_builder builder_;
};

TEST_F(JsonReport, HasTheKeysOfTheContractInOrder) {
  std::vector<std::string> keys;
  const rapidjson::Document json = parsed();
  for (const auto& member : json.GetObject())
    keys.emplace_back(member.name.GetString());
  EXPECT_THAT(keys, testing::ElementsAre("schema", "cause", "time", "host", "number", "findings",
                                         "notes", "source_root", "package", "process", "changes",
                                         "runtime", "control_group", "modules", "threads",
                                         "thread_groups", "green_threads", "operations",
                                         "configuration", "sections", "log", "cost"));
  expect_valid();
}

TEST_F(JsonReport, AReportWithABitOfEverythingFitsTheSchema) {
  const std::string& bad = test::hostile;
  made().findings.push_back({finding_kind::deadlock, bad, {812, 813}, {5}});
  made().notes = {bad};
  made().configuration = {{"http", "port", 8080, "x:1"}, {"", "help", false, "default"}};
  made().sections = {{"All", test::all_kinds(), {}}, {bad, {}, bad}, {"All", 1, {}}};
  thread_info& full = builder_.add_thread(812, bad, {builder_.add_frame("f", "/a.cpp", 1)});
  full.waits_for = wait_info{wait_kind::mutex, {}, 0x7f00, 813, 4, "peer", 1.5};
  full.runs = 17;
  builder_.add_thread(813, "", {}).cpu.reset();
  green_thread_group& group = builder_.add_group(2, {builder_.add_logical("s", "/s.cpp", 4)});
  group.oldest_seconds = 3;
  group.waits_for = wait_info{wait_kind::operation, "timer", {}, {}, {}, {}, {}};
  group.labels = {{bad, {bad, "2"}}};
  group.parents = {1};
  group.parent_of = {{2, 1}};
  group.threads = {812};
  group.stack_bytes = 65536;
  expect_valid();
}

TEST_F(JsonReport, AReportWithNothingFitsTheSchema) {
  made() = report{};
  made().number = 1;
  expect_valid();
}

TEST_F(JsonReport, EveryOutcomeAndStateFitsTheSchema) {
  for (int outcome = 0; outcome <= static_cast<int>(capture_outcome::not_signalled); ++outcome) {
    thread_info& thread = builder_.add_thread(1 + outcome, "x", {});
    thread.capture = static_cast<capture_outcome>(outcome);
    thread.state = "RSDTtZX"[outcome];
  }
  expect_valid();
}

TEST_F(JsonReport, ListedGreenThreadsFitTheSchema) {
  made().list = report_list::each;
  made().green_threads.count = 2;
  made().green_threads.stacks.resize(1);
  made().green_threads.stacks[0].frames = {builder_.add_logical("a", "/a.cpp", 1)};
  made().green_threads.listed.resize(2);
  made().green_threads.listed[1].name = "n";
  made().green_threads.listed[1].seconds = 0.25;
  made().green_threads.listed[1].labels = {{"request", "17"}};
  made().green_threads.listed[1].parent = 1;
  made().green_threads.listed[1].extent = {0x1000, 0x3000, 4096};
  made().green_threads.listed[1].operations = {{2, "read", true, 12, "tcp a - b", {}},
                                               {2, "timer", false, {}, "", 1.5}};
  made().green_threads.event_loops = {{0x7f10, 3, 51, 1.5, {812}}, {0x7f20, 0, 1, {}, {}}};
  const rapidjson::Document json = parsed();
  EXPECT_EQ(json["green_threads"]["listed"].Size(), 2U);
  EXPECT_TRUE(json["green_threads"]["listed"][0]["name"].IsNull());
  EXPECT_EQ(json["green_threads"]["stacks"][0][0]["line"].GetInt(), 1);
  const auto& second = json["green_threads"]["listed"][1];
  EXPECT_STREQ(second["labels"]["request"].GetString(), "17");
  EXPECT_STREQ(second["memory"]["low"].GetString(), "0x1000");
  EXPECT_EQ(second["memory"]["high_water_bytes"].GetInt(), 4096);
  EXPECT_EQ(second["operations"][0]["fd"].GetInt(), 12);
  EXPECT_TRUE(second["operations"][1]["peer"].IsNull());
  EXPECT_EQ(json["green_threads"]["event_loops"][0]["queued"].GetInt(), 3);
  expect_valid();
}

TEST_F(JsonReport, TheFrameOfASuspendedCoroutineHasNoPlaceInMachineCode) {
  builder_.add_group(1, {builder_.add_logical("session", "/s.cpp", 4)});
  const rapidjson::Document json = parsed();
  const auto& frame = json["green_threads"]["groups"][0]["frames"][0];
  EXPECT_TRUE(frame["module"].IsNull() && frame["offset"].IsNull() && frame["address"].IsNull());
  EXPECT_STREQ(frame["file"].GetString(), "/s.cpp");
}

TEST_F(JsonReport, WhoAwaitsIsSaidOfThoseThatAreAwaited) {
  green_thread_group& group = builder_.add_group(2, {builder_.add_logical("s", "/s.cpp", 4)});
  group.ids = {4, 12};
  group.parents = {6};
  group.parent_of = {{12, 6}};
  group.with_parent = 1;
  const rapidjson::Document json = parsed();
  const auto& parent_of = json["green_threads"]["groups"][0]["parent_of"];
  ASSERT_EQ(parent_of.Size(), 1U);
  EXPECT_EQ(parent_of[0]["id"].GetInt(), 12);
  EXPECT_EQ(parent_of[0]["parent"].GetInt(), 6);
  expect_valid();
}

TEST_F(JsonReport, AddressesAreHexadecimal) {
  builder_.add_thread(812, "x", {builder_.add_frame("f", "/a.cpp", 1)});
  const rapidjson::Document json = parsed();
  EXPECT_STREQ(json["threads"][0]["frames"][0]["offset"].GetString(), "0x1001");
  EXPECT_STREQ(json["modules"][0]["base"].GetString(), "0x555500000000");
}

TEST_F(JsonReport, ValuesKeepTheirTypes) {
  made().sections = {{"All", test::all_kinds(), {}}};
  const rapidjson::Document json = parsed();
  const auto& all = json["sections"]["All"];
  EXPECT_TRUE(all["null"].IsNull());
  EXPECT_TRUE(all["bool"].GetBool());
  EXPECT_EQ(all["negative"].GetInt(), -5);
  EXPECT_EQ(all["large"].GetUint64(), 18'446'744'073'709'551'615U);
  EXPECT_EQ(all["double"].GetDouble(), 0.1);
  EXPECT_TRUE(all["infinite"].IsNull());
  EXPECT_STREQ(all["text"].GetString(), "line 1\nline 2\n");
  EXPECT_EQ(all["list"][2][0].GetInt(), 3);
  EXPECT_EQ(all["table"][0]["depth"].GetInt(), 12);
  EXPECT_TRUE(all["table"][1]["ratio"].IsNull()) << "short rows are padded";
  EXPECT_EQ(all["table"][2].MemberCount(), 3U) << "long rows are cut";
}

TEST_F(JsonReport, AFailedSectionHasItsErrorAndSameTitlesStayApart) {
  made().sections = {{"A", 1, {}}, {"A", 2, {}}, {"B", {}, "no luck"}, {"A", 3, {}}};
  const rapidjson::Document json = parsed();
  EXPECT_EQ(json["sections"]["A"].GetInt(), 1);
  EXPECT_EQ(json["sections"]["A (2)"].GetInt(), 2);
  EXPECT_EQ(json["sections"]["A (3)"].GetInt(), 3);
  EXPECT_STREQ(json["sections"]["B"]["error"].GetString(), "no luck");
}

TEST_F(JsonReport, ConfigurationIsBySectionEachOptionOnce) {
  made().configuration = {
      {"a", "x", 1, "default"}, {"b", "y", "***", "f:2"}, {"a", "x", 3, "command line"}};
  const rapidjson::Document json = parsed();
  EXPECT_EQ(json["configuration"]["a"].MemberCount(), 1U);
  EXPECT_EQ(json["configuration"]["a"]["x"]["value"].GetInt(), 3);
  EXPECT_STREQ(json["configuration"]["b"]["y"]["source"].GetString(), "f:2");
}

TEST_F(JsonReport, NothingThatWasCutIsSilent) {
  made().coalesced = 9;
  made().refused = 4;
  made().notes = {"one"};
  made().green_threads.notes = {"two"};
  builder_.add_thread(812, "x", {}).note = "three";
  const rapidjson::Document json = parsed();
  EXPECT_EQ(json["cost"]["requests"].GetInt(), 9);
  EXPECT_EQ(json["cost"]["refused"].GetInt(), 4);
  ASSERT_EQ(json["cost"]["notes"].Size(), 3U);
  EXPECT_STREQ(json["cost"]["notes"][2].GetString(), "thread 812: three");
}

TEST_F(JsonReport, ANoteStandsWithTheThreadItIsAbout) {
  thread_info& thread = builder_.add_thread(812, "x", {builder_.add_frame("f", "/srv/a.cpp", 1)});
  thread.note = "three";
  thread.stack.truncated = true;
  builder_.add_thread(813, "y", {}).is_reporter = true;
  const rapidjson::Document json = parsed();
  ASSERT_EQ(json["threads"][0]["notes"].Size(), 2U);
  EXPECT_STREQ(json["threads"][0]["notes"][0].GetString(), "three");
  EXPECT_STREQ(json["threads"][0]["notes"][1].GetString(), "outer frames are missing");
  EXPECT_EQ(json["threads"][1]["notes"].Size(), 0U);
  EXPECT_TRUE(json["threads"][1]["is_reporter"].GetBool());
  expect_valid();
}

TEST_F(JsonReport, OperationsThatNobodyWaitsFor) {
  made().operations = {{40, "read", false, 0x7f10, {812}, 9.5, 1.5, {{12, "tcp a - b", 9.5, {}}}},
                       {1, "timer", true, 0x7f10, {}, {}, {}, {{{}, "", {}, -1.5}}}};
  const rapidjson::Document json = parsed();
  const auto& reads = json["operations"][0];
  EXPECT_EQ(reads["count"].GetInt(), 40);
  EXPECT_STREQ(reads["event_loop"].GetString(), "0x7f10");
  EXPECT_EQ(reads["operations"][0]["fd"].GetInt(), 12);
  EXPECT_EQ(reads["operations"][0]["since_seconds"].GetDouble(), 9.5);
  EXPECT_EQ(json["operations"][1]["operations"][0]["expiry_seconds"].GetDouble(), -1.5);
  EXPECT_TRUE(json["operations"][1]["oldest_seconds"].IsNull());
  expect_valid();
}

TEST_F(JsonReport, WhatIsSaidOfAStackNamesThePlaceItHasInTheReport) {
  builder_.add_group(1, {builder_.add_logical("session", "/s.cpp", 4)});
  builder_.add_group(2, {});
  made().green_threads.stacks[1].note = "cut";
  std::swap(made().green_threads.groups[0], made().green_threads.groups[1]);
  EXPECT_STREQ(parsed()["cost"]["notes"][0].GetString(), "group 0 of green threads: cut");
  EXPECT_EQ(parsed()["green_threads"]["groups"][0]["count"].GetInt(), 2);
  made().list = report_list::each;
  EXPECT_STREQ(parsed()["cost"]["notes"][0].GetString(), "stack 1 of green threads: cut");
}

TEST_F(JsonReport, NothingThatATerminalObeysIsInTheLine) {
  const std::string& bad = test::hostile;
  made().cause = bad;
  made().sections = {{bad, key_values{}.add(bad, bad), {}}};
  const std::string json = to_json(outlines::arrange(made()));
  EXPECT_THAT(json, testing::HasSubstr("\\u009B31m\\u202Eend"));
  EXPECT_THAT(json, testing::Not(testing::HasSubstr("\xc2\x9b")));
  EXPECT_THAT(json, testing::Not(testing::HasSubstr("\xe2\x80\xae")));
  const rapidjson::Document read = parsed();
  const std::string cause = read["cause"].GetString();
  EXPECT_THAT(cause, testing::HasSubstr("\xc2\x9b")) << "a program reads what it was";
  EXPECT_STREQ(read["sections"][cause.c_str()][cause.c_str()].GetString(), cause.c_str());
  made().cause = "gr\xc3\xbc\xc3\x9f";
  EXPECT_THAT(to_json(outlines::arrange(made())), testing::HasSubstr("\"gr\xc3\xbc\xc3\x9f\""))
      << "is left alone";
}

TEST_F(JsonReport, DeepNestingIsCutAndSaysSo) {
  value tree = 1;
  for (int depth = 0; depth < 2000; ++depth) {
    list outer;
    outer.items.push_back(std::move(tree));  // a braced list would copy it
    tree = std::move(outer);
  }
  made().sections = {{"Deep", std::move(tree), {}}};
  EXPECT_THAT(to_json(outlines::arrange(made())), testing::HasSubstr("nested too deep"));
  expect_valid();
}

TEST_F(JsonReport, AHundredThousandListedGreenThreads) {
  made().list = report_list::each;
  made().green_threads.count = 100'000;
  made().green_threads.stacks.resize(100);
  for (stack& each : made().green_threads.stacks)
    each.frames.assign(8, builder_.add_logical("session::run", "/srv/src/session.cpp", 42));
  for (std::uint64_t id = 1; id <= 100'000; ++id) {
    green_thread_info& each = made().green_threads.listed.emplace_back();
    each.id = id;
    each.stack = static_cast<std::uint32_t>(id % 100);
    each.seconds = 0.123456 * static_cast<double>(id);
    each.waits_for = wait_info{wait_kind::operation, "read", {}, {}, {}, {}, {}};
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string json = to_json(outlines::arrange(made()));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds", static_cast<int>(took.count() * 1000));
  RecordProperty("bytes", static_cast<int>(json.size()));
  EXPECT_LT(took.count(), 20) << "linear, whatever instruments and shares the machine";
  const rapidjson::Document read = parsed();
  EXPECT_EQ(read["green_threads"]["listed"].Size(), 100'000U);
}

}  // namespace
}  // namespace gmr::views
