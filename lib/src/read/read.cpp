#include "gmr/read/read.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "read/parts.hpp"

namespace gmr {
namespace reading {
namespace {

// What RapidJSON reads from.
class piece_stream final {
 public:
  using Ch = char;

  explicit piece_stream(text_source& from) : from_(&from) {}

  // What follows the report is not asked for: where it is a log, somebody else reads on there.
  Ch Peek() {
    if (piece_.empty() && !is_over_) {
      piece_ = from_->next();
      is_over_ = piece_.empty();
    }
    return piece_.empty() ? '\0' : piece_.front();
  }
  Ch Take() {
    const Ch next = Peek();
    if (piece_.empty()) return next;
    piece_.remove_prefix(1);
    ++read_;
    return next;
  }
  [[nodiscard]] std::size_t Tell() const noexcept { return read_; }
  [[nodiscard]] bool is_at_end() const noexcept { return is_over_; }

  // Only what is parsed in place calls these.
  [[noreturn]] Ch* PutBegin() { std::abort(); }
  [[noreturn]] void Put(Ch) { std::abort(); }
  [[noreturn]] void Flush() { std::abort(); }
  [[noreturn]] std::size_t PutEnd(Ch*) { std::abort(); }

 private:
  text_source* from_;
  std::string_view piece_;
  std::size_t read_ = 0;
  bool is_over_ = false;
};

class whole_text final : public text_source {
 public:
  explicit whole_text(std::string_view text) : text_(text) {}
  std::string_view next() override { return std::exchange(text_, {}); }

 private:
  std::string_view text_;
};

int digits_at(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) refuse("time", "a time");
  int number = 0;
  for (const char digit : text.substr(at, count)) {
    if (digit < '0' || digit > '9') refuse("time", "a time");
    number = number * 10 + (digit - '0');
  }
  return number;
}

// 2026-01-31T12:00:00.123Z. The clock counts nanoseconds in 64 bits: far years overflow it.
std::chrono::system_clock::time_point time_of(std::string_view text) {
  using namespace std::chrono;
  const year_month_day day{year{digits_at(text, 0, 4)},
                           month{static_cast<unsigned>(digits_at(text, 5, 2))},
                           std::chrono::day{static_cast<unsigned>(digits_at(text, 8, 2))}};
  constexpr year first{1970};
  constexpr year last{2200};
  if (!day.ok() || day.year() < first || day.year() > last) refuse("time", "a time");
  return sys_days{day} + hours{digits_at(text, 11, 2)} + minutes{digits_at(text, 14, 2)} +
         seconds{digits_at(text, 17, 2)} + milliseconds{digits_at(text, 20, 3)};
}

// One that this version does not know keeps its word.
void set_kind(finding& to, const std::string& word) {
  for (unsigned number = 0; number <= 0xff; ++number) {
    to.kind = static_cast<finding_kind>(number);
    if (to_string(to.kind) == word) return;
  }
  to.text.insert(0, word + ": ");
}

finding finding_of(const json& item) {
  finding out;
  out.text = text_at(item, "text");
  set_kind(out, text_at(item, "kind"));
  out.threads = numbers_at<pid_t>(item, "threads");
  out.green_threads = numbers_at<std::uint64_t>(item, "green_threads");
  for (const pid_t shown : numbers_at<pid_t>(item, "stacks")) {
    const auto at = std::ranges::find(out.threads, shown);
    if (at != out.threads.end())
      out.stacks = std::max(out.stacks, static_cast<std::size_t>(at - out.threads.begin()) + 1);
  }
  return out;
}

package package_of(const json& whole) {
  const json* const content = member(whole, "package");
  if (content == nullptr) return {};
  return {.name = text_at(*content, "name"),
          .version = text_at(*content, "version"),
          .vendor = text_at(*content, "vendor"),
          .revision = text_at(*content, "revision")};
}

value tree_at(const json& whole, const char* name) {
  const json* const content = member(whole, name);
  return content == nullptr ? value{} : value_of(*content);
}

std::vector<module_info> modules_of(const json& whole) {
  std::vector<module_info> out;
  for (const json& each : items_at(whole, "modules"))
    out.push_back({.path = text_at(each, "path"),
                   .build_id = text_at(each, "build_id"),
                   .base = address_at(each, "base").value_or(0)});
  return out;
}

std::vector<option_entry> options_of(const json& whole) {
  std::vector<option_entry> out;
  const json* const content = member(whole, "configuration");
  if (content == nullptr) return out;
  if (!content->IsObject()) refuse("configuration", "an object");
  for (const auto& section : content->GetObject()) {
    if (!section.value.IsObject()) refuse("configuration", "an object for each section");
    for (const auto& option : section.value.GetObject())
      out.push_back({.section = text_of(section.name, "configuration"),
                     .name = text_of(option.name, "configuration"),
                     .content = tree_at(option.value, "value"),
                     .source = text_at(option.value, "source")});
  }
  return out;
}

custom_section section_of(std::string title, const json& content) {
  const bool has_failed = content.IsObject() && content.MemberCount() == 1 &&
                          content.HasMember("error") && content["error"].IsString();
  if (has_failed) return {std::move(title), {}, text_at(content, "error")};
  return {std::move(title), value_of(content), {}};
}

std::vector<custom_section> sections_of(const json& whole) {
  std::vector<custom_section> out;
  const json* const content = member(whole, "sections");
  if (content == nullptr) return out;
  if (!content->IsObject()) refuse("sections", "an object");
  for (const auto& section : content->GetObject())
    out.push_back(section_of(text_of(section.name, "sections"), section.value));
  return out;
}

std::optional<report_changes> changes_of(const json& whole) {
  const json* const content = member(whole, "changes");
  if (content == nullptr) return std::nullopt;
  const auto count = [content](const char* name) {
    return number_at<std::int64_t>(*content, name);
  };
  return report_changes{
      .since_report = number_at<std::uint64_t>(*content, "since_report").value_or(0),
      .elapsed_seconds = seconds_at(*content, "elapsed_seconds").value_or(0),
      .cpu_seconds = seconds_at(*content, "cpu_seconds"),
      .resident_bytes = count("resident_bytes"),
      .open_descriptors = count("open_descriptors"),
      .threads = count("threads").value_or(0),
      .green_threads = count("green_threads").value_or(0),
      .green_thread_groups = count("green_thread_groups").value_or(0)};
}

std::vector<log_line> log_of(const json& whole) {
  std::vector<log_line> out;
  for (const json& each : items_at(whole, "log"))
    out.push_back({.time = time_of(text_at(each, "time")), .text = text_at(each, "text")});
  return out;
}

void read_cost(report& to, const json& whole) {
  const json* const content = member(whole, "cost");
  if (content == nullptr) return;
  to.cost.capture_seconds = seconds_at(*content, "capture_seconds").value_or(0);
  to.cost.resolve_seconds = seconds_at(*content, "resolve_seconds").value_or(0);
  to.cost.sections_seconds = seconds_at(*content, "sections_seconds").value_or(0);
  to.cost.total_seconds = seconds_at(*content, "total_seconds").value_or(0);
  to.cost.memory_growth_bytes =
      number_at<std::uint64_t>(*content, "memory_growth_bytes").value_or(0);
  to.coalesced = number_at<std::uint64_t>(*content, "requests").value_or(1);
  to.refused = number_at<std::uint64_t>(*content, "refused").value_or(0);
}

report report_of(const json& whole) {
  report out;
  out.cause = text_at(whole, "cause");
  out.time = time_of(text_at(whole, "time"));
  out.host = text_at(whole, "host");
  out.number = number_at<std::uint64_t>(whole, "number").value_or(0);
  for (const json& each : items_at(whole, "findings"))
    out.findings.push_back(finding_of(each));
  out.notes = texts_at(whole, "notes");
  out.package = package_of(whole);
  out.package_details = tree_at(whole, "package");
  out.process = tree_at(whole, "process");
  out.runtime = tree_at(whole, "runtime");
  out.changes = changes_of(whole);
  out.control_group = tree_at(whole, "control_group");
  out.log = log_of(whole);
  out.modules = modules_of(whole);
  stack_reader stacks;
  out.threads = threads_of(whole, stacks);
  if (const json* const green = member(whole, "green_threads")) {
    out.green_threads = green_threads_of(*green, stacks);
    if (member(*green, "listed") != nullptr) out.list = report_list::each;
  }
  out.operations = operations_of(whole);
  out.configuration = options_of(whole);
  out.sections = sections_of(whole);
  read_cost(out, whole);
  out.frames = stacks.keep();
  return out;
}

}  // namespace
}  // namespace reading

struct json_report::content {
  rapidjson::Document document;
};

json_report::json_report(text_source& from) : content_(std::make_unique<content>()) {
  reading::piece_stream stream{from};
  rapidjson::Document& document = content_->document;
  // Without recursion: what is nested deep in a damaged file must not use up the stack.
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseStopWhenDoneFlag |
                             rapidjson::kParseFullPrecisionFlag;
  document.ParseStream<flags>(stream);
  if (document.HasParseError()) {
    if (stream.is_at_end())
      throw unreadable_report{"the report is cut after " + std::to_string(stream.Tell()) +
                              " bytes"};
    throw unreadable_report{
        "no JSON at byte " + std::to_string(document.GetErrorOffset()) +
        " of the report: " + rapidjson::GetParseError_En(document.GetParseError())};
  }
  if (!document.IsObject() || !document.HasMember("schema"))
    throw unreadable_report{"this is JSON, but no report: it has no \"schema\""};
}

json_report::~json_report() = default;
json_report::json_report(json_report&&) noexcept = default;
json_report& json_report::operator=(json_report&&) noexcept = default;

bool json_report::has(const char* name) const {
  return content_->document.HasMember(name);
}

report json_report::make() const {
  return reading::report_of(content_->document);
}

report read_json(std::string_view json) {
  reading::whole_text from{json};
  return json_report{from}.make();
}

}  // namespace gmr
