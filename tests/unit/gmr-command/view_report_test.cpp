// Reports out of files and logs, as people have them.
#include "view/view_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "exit_codes.hpp"
#include "gmr/view/view.hpp"
#include "support/scratch_directory.hpp"
#include "unit/view/golden_reports.hpp"
#include "unit/view/support.hpp"
#include "view/reports_in_log.hpp"

namespace gmr_command {
namespace {

using json_value = nlohmann::json;
using testing::HasSubstr;

// What it has printed, and how it ended.
struct outcome {
  int code = 0;
  std::string out;
  std::string said;
};

class redirected final {
 public:
  explicit redirected(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(to_.rdbuf())) {}
  ~redirected() { stream_.rdbuf(before_); }
  redirected(const redirected&) = delete;
  redirected& operator=(const redirected&) = delete;
  [[nodiscard]] std::string text() const { return to_.str(); }

 private:
  std::ostringstream to_;
  std::ostream& stream_;
  std::streambuf* before_;
};

class ViewReport : public testing::Test {
 protected:
  outcome view(std::vector<std::string> arguments) {
    const redirected out{std::cout};
    const redirected said{std::cerr};
    try {
      const int code = view_report(arguments);
      return {code, out.text(), said.text()};
    } catch (const failure& error) {
      return {error.code(), out.text(), said.text() + error.what()};
    }
  }
  outcome view_log(const std::string& content, std::vector<std::string> arguments = {}) {
    std::ofstream{file_, std::ios::binary} << content;
    arguments.push_back(file_.string());
    return view(std::move(arguments));
  }

  static gmr::report report(std::string host, const std::string& name = "fibers") {
    for (const auto& each : gmr::views::test::golden_reports())
      if (each.name == name) {
        gmr::report made = each.make();
        made.host = std::move(host);
        return made;
      }
    return {};
  }
  // One line; `bytes` of it are of a section.
  static std::string line_of(const std::string& host, std::size_t bytes = 0) {
    gmr::report made = report(host);
    made.sections.push_back({"Long", std::string(bytes, 'x'), {}});
    std::string json = gmr::to_json(made);
    json.pop_back();
    return json;
  }
  static std::vector<std::string> cut(const std::string& line, std::size_t most) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < line.size(); at += most)
      out.push_back(line.substr(at, most));
    return out;
  }

  // As journalctl shows it.
  static std::string logged(const std::string& text, const std::string& process) {
    std::istringstream lines{text};
    std::string out;
    int second = 10;
    for (std::string line; std::getline(lines, line); second = (second + 1) % 60)
      out.append("Nov 30 12:00:" + std::to_string(second) + " web orders[" + process + "]: ")
          .append(line + "\n");
    return out;
  }
  static std::string docker_line(const std::string& stream, const std::string& text) {
    return json_value{{"log", text}, {"stream", stream}}.dump() + "\n";
  }

  gmr::test::scratch_directory directory_;
  std::filesystem::path file_ = directory_.path() / "service.log";
};

TEST_F(ViewReport, ShowsOneAsTextHtmlJsonAndOslo) {
  const gmr::report made = report("web-1");
  const std::string json = gmr::to_json(made);
  EXPECT_EQ(view_log(json).out, gmr::to_text(made));
  EXPECT_EQ(view_log(json, {"--format", "json"}).out, json);
  EXPECT_EQ(view_log(json, {"--html"}).out, gmr::to_html(made));
  EXPECT_EQ(view_log(json, {"--format=oslo"}).out, gmr::to_oslo(made));
}

TEST_F(ViewReport, ReadsOneThatSomebodyHasFormatted) {
  const gmr::report made = report("web-1");
  const std::string pretty = nlohmann::ordered_json::parse(gmr::to_json(made)).dump(2);
  EXPECT_EQ(view_log(pretty + "\n").out, gmr::to_text(made));
}

TEST_F(ViewReport, ShowsTheLastOfSeveralAmongOtherLinesAndAnyByNumber) {
  const std::string log = "starting\n" + line_of("one") + "\n{\"level\":\"info\"}\n" +
                          "Nov 30 12:00:00 web orders[811]: " + line_of("two") + "\nbye\n";
  const outcome last = view_log(log);
  EXPECT_THAT(last.out, HasSubstr("Host:    two\n"));
  EXPECT_THAT(last.said, HasSubstr("has 2 reports; this is the last, of line 4;"));
  EXPECT_THAT(view_log(log, {"--number", "1"}).out, HasSubstr("Host:    one\n"));
  const outcome third = view_log(log, {"--number", "3"});
  EXPECT_EQ(third.code, 65);
  EXPECT_THAT(third.said, HasSubstr("no report number 3, only 2"));
}

TEST_F(ViewReport, JoinsWhatJournaldHasCut) {
  std::string log;
  for (const std::string& part : cut(line_of("web-1", 200'000), 49152)) {
    json_value entry{{"_STREAM_ID", "a"}, {"_PID", "811"}, {"MESSAGE", part}};
    if (part.size() == 49152) entry["_LINE_BREAK"] = "line-max";
    // Another service writes meanwhile.
    log +=
        entry.dump() + "\n" + json_value{{"_STREAM_ID", "b"}, {"MESSAGE", "hello"}}.dump() + "\n";
  }
  EXPECT_THAT(view_log(log).out, HasSubstr("Host:    web-1\n"));
}

TEST_F(ViewReport, JoinsLinesThatWereCutWithoutAWord) {
  std::string cat;
  std::string brief;
  std::size_t minute = 10;
  for (const std::string& part : cut(line_of("web-1", 200'000), 49152)) {
    cat += part + "\n";
    brief += "Nov 30 12:00:" + std::to_string(minute++) + " web orders[811]: " + part + "\n";
  }
  EXPECT_THAT(view_log(cat).out, HasSubstr("Host:    web-1\n"));
  EXPECT_THAT(view_log(brief).out, HasSubstr("Host:    web-1\n"));
}

TEST_F(ViewReport, JoinsWhatDockerAndKubernetesHaveCut) {
  std::string docker;
  std::string kubernetes;
  std::vector<std::string> parts = cut(line_of("web-1", 60'000), 16384);
  for (const std::string& part : parts) {
    const bool is_last = &part == &parts.back();
    docker += json_value{{"log", part + (is_last ? "\n" : "")}, {"stream", "stderr"}}.dump() +
              "\n" + json_value{{"log", "a request\n"}, {"stream", "stdout"}}.dump() + "\n";
    kubernetes += "2026-01-31T12:00:00.123456789Z stderr " + std::string{is_last ? "F " : "P "} +
                  part + "\n2026-01-31T12:00:00.123456789Z stdout F a request\n";
  }
  EXPECT_THAT(view_log(docker).out, HasSubstr("Host:    web-1\n"));
  EXPECT_THAT(view_log(kubernetes).out, HasSubstr("Host:    web-1\n"));
}

TEST_F(ViewReport, PrintsATextReportOfALogAsItIs) {
  const std::string text = gmr::to_text(report("web-1", "deadlock"));
  EXPECT_EQ(view_log("before\n" + text + "after\n").out, text);
  EXPECT_EQ(view_log(logged(text, "8")).out, text);
  const outcome refused = view_log(text, {"--html"});
  EXPECT_EQ(refused.code, 65);
  EXPECT_THAT(refused.said, HasSubstr("format = json"));
}

TEST_F(ViewReport, WhatIsCutIsSaidInOneLine) {
  const std::string line = line_of("web-1");
  const outcome alone = view_log(line.substr(0, 1000));
  EXPECT_EQ(alone.code, 65);
  EXPECT_EQ(alone.said, file_.string() + ":1: the report is cut after 1000 bytes");
  const outcome damaged = view_log("x\n" + line.substr(0, 11) + "!" + line.substr(11) + "\n");
  EXPECT_EQ(damaged.code, 65);
  EXPECT_THAT(damaged.said, HasSubstr(":2: no JSON at byte 11"));
  // A whole one after it is shown.
  const outcome whole = view_log(line.substr(0, 3000) + "\n" + line + "\n");
  EXPECT_EQ(whole.code, 0);
  EXPECT_THAT(whole.out, HasSubstr("Host:    web-1\n"));
  EXPECT_THAT(whole.said, HasSubstr("left out: " + file_.string() + ":1: the report is cut"));
  const std::string text = gmr::to_text(report("web-1"));
  EXPECT_THAT(view_log(text.substr(0, 800)).said, HasSubstr("text report has no end"));
}

TEST_F(ViewReport, ATextReportThatIsCutEndsWhereAnotherReportBegins) {
  const std::string cut_text = gmr::to_text(report("one")).substr(0, 800) + "\n";
  const std::string whole = gmr::to_text(report("two"));
  const std::string left_out = file_.string() + ":2: the text report has no end: another one";
  for (const std::string& log :
       {cut_text + whole, cut_text + line_of("two") + "\n", logged(cut_text + whole, "811"),
        logged(cut_text, "811") + logged(whole, "9"),
        logged(cut_text, "811") + logged(line_of("two"), "9")}) {
    const outcome shown = view_log(log);
    EXPECT_EQ(shown.code, 0);
    EXPECT_THAT(shown.out, HasSubstr("Host:    two\n"));
    EXPECT_THAT(shown.said, HasSubstr(left_out));
  }
}

// Deep in a line they are words of the service.
TEST_F(ViewReport, ATextReportThatNamesWhatBeginsOneIsWhole) {
  gmr::report made = report("web-1");
  made.notes = {"==== Guru Meditation", "{\"schema\":3}"};
  made.sections.push_back(
      {"Words",
       gmr::key_values{}.add("words", gmr::text{"==== Guru Meditation\n{\"schema\":3}\n"}),
       {}});
  const std::string text = gmr::to_text(made);
  EXPECT_EQ(view_log(text).out, text);
  EXPECT_EQ(view_log(logged(text, "811")).out, text);
}

TEST_F(ViewReport, ATextReportWithoutAnEndIsGivenUp) {
  const std::string text = gmr::to_text(report("web-1"));
  std::string log = text.substr(0, 800) + "\n";
  while (log.size() < 4 * text.size())
    log += "a request\n";
  std::istringstream from{log + text};
  const reports_found found = find_reports(from, "log", 0, {.text_bytes = 2 * text.size()});
  EXPECT_EQ(found.count, 1U);
  EXPECT_EQ(found.first_damage,
            "log:2: the text report has no end in " + std::to_string(2 * text.size()) + " bytes");
}

TEST_F(ViewReport, NothingIsLostWhereMuchWaits) {
  const std::string line = line_of("web-1");
  std::string log = docker_line("stderr", line.substr(0, 1000));
  constexpr std::size_t most_waiting = 10'000;
  for (std::size_t number = 0; number < most_waiting; ++number)
    log += docker_line("stdout", "a request\n");
  log += docker_line("stdout", line + "\n");
  EXPECT_THAT(view_log(log).out, HasSubstr("Host:    web-1\n"));
  std::string large = docker_line("stderr", line.substr(0, 1000));
  for (int number = 0; number < 20; ++number)
    large += docker_line("stdout", line + "\n");
  std::istringstream from{large + docker_line("stderr", line.substr(1000) + "\n")};
  const reports_found found = find_reports(from, "log", 0, {.waiting_bytes = 4 * line.size()});
  EXPECT_EQ(found.count, 20U);
  EXPECT_EQ(found.first_damage, "log:1: the report is cut after 1000 bytes");
}

// A line of that length is read in pieces.
TEST_F(ViewReport, LongReportsOnLinesThatFollowEachOtherAreAllFound) {
  constexpr std::size_t bytes = 2'000'000;
  std::string log;
  for (const char* host : {"one", "two", "three"})
    log += line_of(host, bytes) + "\n";
  const outcome last = view_log(log);
  EXPECT_THAT(last.out, HasSubstr("Host:    three\n"));
  EXPECT_THAT(last.said, HasSubstr("has 3 reports"));
}

TEST_F(ViewReport, WhatIsNotThereIsSaidInOneLine) {
  EXPECT_EQ(view_log("hello\n").said, file_.string() + ": there is no report in it");
  EXPECT_EQ(view_log("").code, 65);
  EXPECT_EQ(view({"/nowhere/report.json"}).code, 66);
  EXPECT_EQ(view({"/nowhere/report.json"}).said, "/nowhere/report.json: No such file or directory");
  EXPECT_EQ(view({directory_.path().string()}).code, 66);
  EXPECT_EQ(view({}).code, 64);
  EXPECT_EQ(view_log("x", {"--format", "xml"}).code, 64);
  EXPECT_THAT(view_log("x", {"--format", "xml"}).said, HasSubstr("one of text, json, html, oslo"));
}

TEST_F(ViewReport, OrderAndListAreChosenAnew) {
  gmr::report made = report("web-1");
  const std::string json = gmr::to_json(made);
  const std::string largest = view_log(json, {"--order", "largest"}).out;
  EXPECT_LT(largest.find("3 fibers"), largest.find("1 fiber running"));
  EXPECT_THAT(view_log(json, {"--list", "tree"}).out,
              HasSubstr("Call tree, outermost frame first"));
  EXPECT_EQ(view_log(json, {"--list", "each"}).code, 65);
}

TEST_F(ViewReport, LinesOfSourceAreShownFromItsDirectoryOnly) {
  const std::filesystem::path source = directory_.path() / "source";
  std::filesystem::create_directories(source / "src");
  std::ofstream secret{directory_.path() / "session.cpp"};
  std::ofstream file{source / "src" / "session.cpp"};
  for (int line = 1; line <= 50; ++line) {
    file << "  line_" << line << "();\n";
    secret << "secret\n";
  }
  file.close();
  secret.close();
  const std::string json = gmr::to_json(report("web-1"));
  EXPECT_THAT(view_log(json, {"--source", source.string()}).out, HasSubstr("> line_42();\n"));
  EXPECT_THAT(view_log(json, {"--html", "--source", source.string()}).out,
              HasSubstr("&gt; line_42();\n"));
  std::string outside = json;
  for (std::size_t at = outside.find("/srv/src/session.cpp"); at != std::string::npos;
       at = outside.find("/srv/src/session.cpp"))
    outside.replace(at, 20, "../session.cpp");
  EXPECT_THAT(view_log(outside, {"--source", source.string()}).out,
              testing::Not(HasSubstr("secret")));
  EXPECT_EQ(view_log(json, {"--source", "/nowhere"}).code, 66);
}

// Each of its parts would be looked up behind each other one.
TEST_F(ViewReport, AMadeUpPathOfManyPartsIsLookedUpByItsLastOnes) {
  const std::filesystem::path source = directory_.path() / "source";
  std::filesystem::create_directories(source / "src");
  std::ofstream{source / "src" / "session.cpp"} << std::string(50, '\n') + "found();\n";
  constexpr int parts = 50'000;
  std::string path = "/srv";
  for (int number = 0; number < parts; ++number)
    path += "/a";
  gmr::views::test::report_builder it;
  it.add_thread(812, "io", {it.add_frame("session", path + "/src/session.cpp", 51)});
  EXPECT_THAT(view_log(gmr::to_json(it.made), {"--source", source.string()}).out,
              HasSubstr("> found();\n"));
}

// Only what was asked for on the socket.
TEST_F(ViewReport, PartsThatAReportDoesNotHaveAreNotShown) {
  json_value made = json_value::parse(gmr::to_json(report("web-1")));
  for (const char* part : {"package", "process", "threads", "thread_groups", "modules", "sections"})
    made.erase(part);
  const std::string text = view_log("{\"schema\":3," + made.dump().substr(1)).out;
  EXPECT_THAT(text, HasSubstr("==== Green Threads"));
  EXPECT_THAT(text, testing::Not(HasSubstr("==== Threads")));
}

}  // namespace
}  // namespace gmr_command
