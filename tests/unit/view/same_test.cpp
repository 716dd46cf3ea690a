// Text and JSON say the same, in the same order: both are drawn from one report, read back by what
// knows nothing of how they were drawn, and compared.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdio>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "golden_reports.hpp"
#include "text/printable.hpp"
#include "view/html/html.hpp"
#include "view/json.hpp"
#include "view/text.hpp"

namespace gmr::views {
namespace {

using strings = std::vector<std::string>;

// What a reader finds in a report of either form.
struct content {
  strings sections;  // of the text form's titles
  strings findings;  // kind: text
  strings stacks;    // threads whose stacks stand with findings
  strings head_notes;
  strings threads;       // ids of each group of threads, joined
  strings thread_notes;  // "id: note"
  strings green_groups;  // "count kind state"
  strings green_ids;     // of each group, joined
  strings parents;       // "12 awaited by 6"; "awaited by 6" of a whole group
  strings green_notes;
  strings operations;    // "count kind ready"
  strings options;       // [section] name
  strings log;           // "time text"
  strings changes;       // of which report
  strings makes_report;  // ids
};

std::string joined(const strings& all) {
  std::string out;
  for (const std::string& each : all)
    out += (out.empty() ? "" : ", ") + each;
  return out;
}

// Continued lines put together again: a line of a title or header that goes on is indented by four.
strings whole_lines_of(const std::string& text) {
  strings lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    const bool goes_on = line.starts_with("    ") && !line.starts_with("     ") &&
                         !line.starts_with("    #") && !lines.empty() && !lines.back().empty();
    if (goes_on)
      lines.back() += line.substr(3);
    else
      lines.push_back(line);
  }
  return lines;
}

class text_reader {
 public:
  explicit text_reader(const std::string& text) {
    for (const std::string& line : whole_lines_of(text))
      take(line);
  }
  content found;

 private:
  void take(const std::string& line) {
    std::smatch match;
    const auto is = [&](const char* pattern) {
      return std::regex_match(line, match, std::regex{pattern});
    };
    if (is("==== (.*)")) {
      section_ = match[1];
      if (!section_.ends_with("Guru Meditation")) found.sections.push_back(section_);
    } else if (section_ == "Guru Meditation") {
      take_head(line);
    } else if (section_ == "Threads") {
      take_thread(line);
    } else if (section_ == "Green Threads") {
      take_green_thread(line);
    } else if (section_ == "Operations" && is("---- (\\d+) operations? (\\w+)[^:]*: (.*)")) {
      found.operations.push_back(match.str(1) + " " + match.str(3) + " " + match.str(2));
    } else if (section_ == "Log" && is("(\\d{4}-\\S+Z .*)")) {
      found.log.push_back(match[1]);
    } else if (section_ == "Process" && is("Since report (\\d+), .*")) {
      found.changes.push_back(match[1]);
    } else if (section_ == "Configuration" && is("\\[(.*)\\]")) {
      option_section_ = match[1];
    } else if (section_ == "Configuration" && is("( *)(\\w+) = .*")) {
      found.options.push_back("[" + (match.length(1) == 0 ? std::string{} : option_section_) +
                              "] " + match.str(2));
    }
  }

  void take_head(const std::string& line) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex{"\\* (.*)"}))
      found.findings.push_back(match[1]);
    else if (std::regex_match(line, match, std::regex{"  thread (\\d+) .*:"}))
      found.stacks.push_back(match[1]);
    else if (std::regex_match(line, match, std::regex{"Note: (.*)"}))
      found.head_notes.push_back(match[1]);
  }

  void take_thread(const std::string& line) {
    std::smatch match;
    if (std::regex_match(line, match, std::regex{"---- Threads (.*) \\(\\d+\\): same stack"})) {
      found.threads.push_back(match[1]);
    } else if (std::regex_match(line, match, std::regex{"(---- Thread )?(\\d+) (\\S+): (.*)"})) {
      if (match.length(1) != 0) found.threads.push_back(match[2]);
      thread_ = match[2];
      const std::string header = match[4];
      if (header.find("makes this report") != std::string::npos)
        found.makes_report.push_back(thread_);
      if (std::regex_search(header, match,
                            std::regex{"cpu [^(]*\\((.*)\\)$|^[^(]*[a-z] \\((.*)\\)$"}))
        found.thread_notes.push_back(thread_ + ": " + match.str(1) + match.str(2));
    } else if (std::regex_match(line, match, std::regex{"  \\((.*)\\)"}) &&
               match[1] != "no stack") {
      found.thread_notes.push_back(thread_ + ": " + match.str(1));
    }
  }

  void take_green_thread(const std::string& line) {
    std::smatch match;
    if (std::regex_match(line, match,
                         std::regex{"---- (\\d+) (\\w+?)s? (running|suspended|ready).*"}))
      found.green_groups.push_back(match.str(1) + " " + match.str(2) + " " + match.str(3));
    else if (std::regex_match(line, match, std::regex{"ids? (.*)"}))
      found.green_ids.push_back(match[1]);
    else if (std::regex_match(line, match, std::regex{"note: (.*)"}))
      found.green_notes.push_back(match[1]);
    else if (line.find("awaited by") != std::string::npos ||
             line.find("resumed by") != std::string::npos)
      found.parents.push_back(line);
  }

  std::string section_;
  std::string thread_;
  std::string option_section_;
};

class json_reader {
 public:
  explicit json_reader(const std::string& json) {
    read_.Parse(json.c_str(), json.size());
    if (read_.HasParseError()) return;
    take_head();
    take_sections();
    take_process();
    take_threads();
    take_green_threads();
  }
  content found;

 private:
  using value_type = rapidjson::Value;

  static strings all_texts(const value_type& array) {
    strings out;
    for (const value_type& each : array.GetArray())
      out.push_back(each.IsString() ? each.GetString() : std::to_string(each.GetInt64()));
    return out;
  }
  static void append(strings& to, const strings& more) {
    to.insert(to.end(), more.begin(), more.end());
  }

  void take_head() {
    for (const value_type& each : read_["findings"].GetArray()) {
      found.findings.push_back(std::string{each["kind"].GetString()} + ": " +
                               each["text"].GetString());
      append(found.stacks, all_texts(each["stacks"]));
    }
    found.head_notes = all_texts(read_["notes"]);
  }

  // By the names that the text form has for the keys.
  void take_sections() {
    const std::map<std::string, std::string> titles{{"package", "Package"},
                                                    {"process", "Process"},
                                                    {"runtime", "Runtime"},
                                                    {"control_group", "Control Group"},
                                                    {"log", "Log"},
                                                    {"threads", "Threads"},
                                                    {"green_threads", "Green Threads"},
                                                    {"operations", "Operations"},
                                                    {"configuration", "Configuration"}};
    for (const auto& member : read_.GetObject()) {
      const std::string key = member.name.GetString();
      if ((key == "operations" || key == "log") && member.value.Empty()) continue;
      if (const auto title = titles.find(key); title != titles.end())
        found.sections.push_back(title->second);
      if (key != "sections") continue;
      for (const auto& section : member.value.GetObject())
        found.sections.emplace_back(section.name.GetString());
    }
    for (const auto& section : read_["configuration"].GetObject())
      for (const auto& option : section.value.GetObject())
        found.options.push_back("[" + std::string{section.name.GetString()} + "] " +
                                option.name.GetString());
    for (const value_type& each : read_["operations"].GetArray())
      found.operations.push_back(std::to_string(each["count"].GetInt64()) + " " +
                                 each["kind"].GetString() +
                                 (each["ready"].GetBool() ? " ready" : " pending"));
  }

  void take_process() {
    if (const value_type& changes = read_["changes"]; !changes.IsNull())
      found.changes.push_back(std::to_string(changes["since_report"].GetUint64()));
    for (const value_type& each : read_["log"].GetArray())
      found.log.push_back(std::string{each["time"].GetString()} + " " +
                          texts::printable(each["text"].GetString()));
  }

  void take_threads() {
    for (const value_type& group : read_["thread_groups"].GetArray())
      found.threads.push_back(joined(all_texts(group)));
    for (const value_type& each : read_["threads"].GetArray()) {
      const std::string id = std::to_string(each["id"].GetInt());
      if (each["is_reporter"].GetBool()) found.makes_report.push_back(id);
      for (const std::string& note : all_texts(each["notes"]))
        found.thread_notes.push_back(id + ": " + note);
    }
  }

  void take_green_threads() {
    const value_type& all = read_["green_threads"];
    found.green_notes = all_texts(all["notes"]);
    for (const value_type& each : all["groups"].GetArray()) {
      found.green_groups.push_back(std::to_string(each["count"].GetInt64()) + " " +
                                   each["kind"].GetString() + " " + each["state"].GetString());
      found.green_ids.push_back(joined(all_texts(each["ids"])));
      const std::string how =
          each["kind"] == "fiber" ? std::string{" resumed by "} : std::string{" awaited by "};
      strings parents;
      for (const value_type& of : each["parent_of"].GetArray())
        parents.push_back(std::to_string(of["id"].GetInt64()) + how +
                          std::to_string(of["parent"].GetInt64()));
      const bool same = each["parents"].Size() == 1 && parents.size() == each["count"].GetUint64();
      if (same) parents = {how.substr(1) + joined(all_texts(each["parents"]))};
      if (!parents.empty()) found.parents.push_back(joined(parents));
    }
  }

  rapidjson::Document read_;
};

// What the HTML form has of that, by its markup.
class html_reader {
 public:
  explicit html_reader(const std::string& html)
      : html_(std::regex_replace(html, std::regex{"&#39;"}, "'")) {
    const std::set<std::string> of_html_alone{"Findings", "Changes", "Waits", "Who awaits whom",
                                              "All stacks"};
    each("<h2 id=[^>]*>([^<]*)</h2>", [&](const std::smatch& match) {
      if (!of_html_alone.contains(match[1])) found.sections.push_back(match[1]);
    });
    each("<p>Since report (\\d+), ",
         [&](const std::smatch& match) { found.changes.push_back(match[1]); });
    each("\\n?(?:<pre class=log>)?(\\d{4}-[0-9T:.-]+Z [^\\n<]*)\\n",
         [&](const std::smatch& match) { found.log.push_back(match[1]); });
    each("<article class=finding><h3>([^<]*)</h3><p>([^<]*)</p>", [&](const std::smatch& match) {
      found.findings.push_back(match.str(1) + ": " + match.str(2));
    });
    each("class=evidence><summary>thread (\\d+) ",
         [&](const std::smatch& match) { found.stacks.push_back(match[1]); });
    each("<p class=note>Note: ([^<]*)</p>",
         [&](const std::smatch& match) { found.head_notes.push_back(match[1]); });
    each("id=t\\d+><summary><h3>Threads? ([0-9, ]*\\d)",
         [&](const std::smatch& match) { found.threads.push_back(match[1]); });
    each("id=g\\d+><summary><h3>(\\d+) (\\w+?)s? (running|suspended|ready)",
         [&](const std::smatch& match) {
           found.green_groups.push_back(match.str(1) + " " + match.str(2) + " " + match.str(3));
         });
    each("<div class=about>ids? ([^\n]*)\n",
         [&](const std::smatch& match) { found.green_ids.push_back(match[1]); });
    each("<h3>(\\d+) operations? (\\w+)[^:<]*: ([^<]*)</h3>", [&](const std::smatch& match) {
      found.operations.push_back(match.str(1) + " " + match.str(3) + " " + match.str(2));
    });
    each("<tr><td>([^<]*)<th scope=row>([^<]*)<td>", [&](const std::smatch& match) {
      found.options.push_back("[" + match.str(1) + "] " + match.str(2));
    });
  }
  content found;

 private:
  template <class Use>
  void each(const char* pattern, Use use) {
    const std::regex wanted{pattern};
    for (std::sregex_iterator at{html_.begin(), html_.end(), wanted}; at != std::sregex_iterator{};
         ++at)
      use(*at);
  }

  std::string html_;
};

void expect_same(const content& text, const content& json) {
  EXPECT_EQ(text.sections, json.sections);
  EXPECT_EQ(text.findings, json.findings);
  EXPECT_EQ(text.stacks, json.stacks);
  EXPECT_EQ(text.head_notes, json.head_notes);
  EXPECT_EQ(text.threads, json.threads);
  EXPECT_EQ(text.thread_notes, json.thread_notes);
  EXPECT_EQ(text.makes_report, json.makes_report);
  EXPECT_EQ(text.green_groups, json.green_groups);
  EXPECT_EQ(text.green_ids, json.green_ids);
  EXPECT_EQ(text.parents, json.parents);
  EXPECT_EQ(text.green_notes, json.green_notes);
  EXPECT_EQ(text.operations, json.operations);
  EXPECT_EQ(text.options, json.options);
  EXPECT_EQ(text.log, json.log);
  EXPECT_EQ(text.changes, json.changes);
}

class TextAndJson : public testing::TestWithParam<test::golden_report> {};

TEST_P(TextAndJson, SayTheSameInTheSameOrder) {
  report made = GetParam().make();
  made.list = report_list::groups;  // a tree has the groups in JSON only
  const outlines::outline shown = outlines::arrange(made);
  const std::string text = to_text(shown);
  expect_same(text_reader{text}.found, json_reader{to_json(shown)}.found);
  if (testing::Test::HasFailure()) std::puts(text.c_str());
}

TEST_P(TextAndJson, HtmlSaysTheSame) {
  report made = GetParam().make();
  made.list = report_list::groups;
  const outlines::outline shown = outlines::arrange(made);
  const content html = html_reader{to_html(shown)}.found;
  content json = json_reader{to_json(shown)}.found;
  // These stand in sentences there.
  json.thread_notes.clear();
  json.parents.clear();
  json.makes_report.clear();
  json.green_notes.clear();
  expect_same(html, json);
}

INSTANTIATE_TEST_SUITE_P(Reports, TextAndJson, testing::ValuesIn(test::golden_reports()),
                         [](const auto& each) { return each.param.name; });

// The readers find what there is: a comparison of nothing with nothing would succeed.
TEST(TextAndJson, TheReadersFindWhatThereIs) {
  strings sections;
  std::size_t stacks = 0;
  std::size_t notes = 0;
  std::size_t parents = 0;
  std::size_t operations = 0;
  for (const test::golden_report& each : test::golden_reports()) {
    const report made = each.make();
    const content found = text_reader{to_text(outlines::arrange(made))}.found;
    EXPECT_FALSE(found.threads.empty()) << each.name;
    sections.insert(sections.end(), found.sections.begin(), found.sections.end());
    stacks += found.stacks.size();
    notes += found.thread_notes.size() + found.head_notes.size() + found.green_notes.size();
    parents += found.parents.size();
    operations += found.operations.size();
  }
  EXPECT_THAT(sections, testing::IsSupersetOf({"Package", "Process", "Threads", "Green Threads",
                                               "Operations", "Configuration", "Orders (2)"}));
  EXPECT_EQ(stacks, 2U);
  EXPECT_EQ(notes, 5U);
  EXPECT_EQ(parents, 1U);
  EXPECT_EQ(operations, 2U);
}

}  // namespace
}  // namespace gmr::views
