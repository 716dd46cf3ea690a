#include "reports/parse.hpp"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "symbolize/names.hpp"
#include "text/printable.hpp"

namespace gmr_command::reports {
namespace {

using nlohmann::json;

const json& member(const json& of, const char* key) {
  static const json none;
  if (!of.is_object()) return none;
  const auto found = of.find(key);
  return found == of.end() ? none : *found;
}

// A terminal must not obey what stands in a report: names come from anywhere.
std::string text_in(const json& of, const char* key) {
  const json& value = member(of, key);
  return value.is_null() ? std::string{} : gmr::texts::printable(value.get<std::string>());
}

std::vector<std::string> texts_in(const json& of, const char* key) {
  std::vector<std::string> made;
  for (const json& each : member(of, key))
    made.push_back(gmr::texts::printable(each.get<std::string>()));
  return made;
}

template <class Number>
std::optional<Number> number_in(const json& of, const char* key) {
  const json& value = member(of, key);
  if (value.is_null()) return std::nullopt;
  return value.get<Number>();
}

template <class Value>
std::vector<Value> list_in(const json& of, const char* key) {
  const json& value = member(of, key);
  return value.is_null() ? std::vector<Value>{} : value.get<std::vector<Value>>();
}

bool flag_in(const json& of, const char* key) {
  const json& value = member(of, key);
  return value.is_boolean() && value.get<bool>();
}

frame frame_of(const json& from) {
  frame made;
  made.function = text_in(from, "function");
  made.file = text_in(from, "file");
  made.line = number_in<int>(from, "line").value_or(0);
  const bool named = !made.function.empty() || !made.file.empty();
  made.own =
      named && !gmr::symbolize::is_internal(made.function, made.file, text_in(from, "module"));
  return made;
}

std::vector<frame> frames_of(const json& from) {
  std::vector<frame> made;
  for (const json& each : from)
    made.push_back(frame_of(each));
  return made;
}

std::optional<wait> wait_of(const json& from) {
  if (!from.is_object()) return std::nullopt;
  wait made;
  made.kind = text_in(from, "kind");
  made.address = text_in(from, "address");
  made.owner = number_in<std::int64_t>(from, "owner");
  made.fd = number_in<int>(from, "fd");
  made.peer = text_in(from, "peer");
  made.seconds = number_in<double>(from, "seconds");
  return made;
}

std::vector<operation> operations_of(const json& from) {
  std::vector<operation> made;
  for (const json& each : from) {
    operation& one = made.emplace_back();
    one.green_thread = number_in<std::uint64_t>(each, "green_thread").value_or(0);
    one.kind = text_in(each, "kind");
    one.ready = flag_in(each, "ready");
    one.fd = number_in<int>(each, "fd");
    one.peer = text_in(each, "peer");
    one.seconds = number_in<double>(each, "seconds");
  }
  return made;
}

thread thread_of(const json& from) {
  thread made;
  made.id = number_in<std::int64_t>(from, "id").value_or(0);
  made.name = text_in(from, "name");
  made.state = text_in(from, "state");
  made.waits_for = wait_of(member(from, "waits_for"));
  if (const json& cpu = member(from, "cpu"); cpu.is_object()) {
    made.system_seconds = number_in<double>(cpu, "system_seconds").value_or(0);
    made.cpu_seconds = number_in<double>(cpu, "user_seconds").value_or(0) + made.system_seconds;
    made.waiting_seconds = number_in<double>(cpu, "waiting_seconds").value_or(0);
    made.percent = number_in<double>(cpu, "recent_percent");
  }
  made.runs = number_in<std::uint64_t>(from, "runs");
  made.runs_seconds = number_in<double>(from, "runs_seconds");
  made.is_reporter = flag_in(from, "is_reporter");
  made.frames = frames_of(member(from, "frames"));
  return made;
}

green_thread_group group_of(const json& from) {
  green_thread_group made;
  made.count = number_in<std::uint64_t>(from, "count").value_or(1);
  made.kind = text_in(from, "kind");
  made.state = text_in(from, "state");
  made.frames = frames_of(member(from, "frames"));
  made.ids = list_in<std::uint64_t>(from, "ids");
  made.names = texts_in(from, "names");
  made.parents = list_in<std::uint64_t>(from, "parents");
  made.long_running = flag_in(from, "long_running");
  made.oldest_seconds = number_in<double>(from, "oldest_seconds");
  made.newest_seconds = number_in<double>(from, "newest_seconds");
  made.waits_for = wait_of(member(from, "waits_for"));
  made.operations = operations_of(member(from, "operations"));
  return made;
}

void add(green_thread_group& to, const json& each) {
  ++to.count;
  to.ids.push_back(number_in<std::uint64_t>(each, "id").value_or(0));
  if (std::string name = text_in(each, "name"); !name.empty()) to.names.push_back(std::move(name));
  if (const auto parent = number_in<std::uint64_t>(each, "parent")) to.parents.push_back(*parent);
  if (const auto seconds = number_in<double>(each, "seconds")) {
    to.oldest_seconds = std::max(to.oldest_seconds.value_or(*seconds), *seconds);
    to.newest_seconds = std::min(to.newest_seconds.value_or(*seconds), *seconds);
  }
  for (operation& one : operations_of(member(each, "operations")))
    to.operations.push_back(std::move(one));
}

// Of list = each.
std::vector<green_thread_group> groups_of_listed(const json& green_threads) {
  const json& stacks = member(green_threads, "stacks");
  std::map<std::tuple<std::size_t, std::string, std::string, std::string>, green_thread_group> all;
  for (const json& each : member(green_threads, "listed")) {
    const auto stack = number_in<std::size_t>(each, "stack").value_or(0);
    std::optional<wait> waits_for = wait_of(member(each, "waits_for"));
    green_thread_group& group = all[{stack, text_in(each, "kind"), text_in(each, "state"),
                                     waits_for ? waits_for->kind : ""}];
    if (group.count == 0) {
      group.kind = text_in(each, "kind");
      group.state = text_in(each, "state");
      group.frames = frames_of(stacks.at(stack));
      group.long_running = flag_in(each, "long_running");
      group.waits_for = std::move(waits_for);
    }
    add(group, each);
  }
  std::vector<green_thread_group> made;
  made.reserve(all.size());
  for (auto& [key, group] : all)
    made.push_back(std::move(group));
  return made;
}

std::vector<event_loop> event_loops_of(const json& from) {
  std::vector<event_loop> made;
  for (const json& each : from)
    made.push_back({.address = text_in(each, "address"),
                    .queued = number_in<std::uint64_t>(each, "queued").value_or(0),
                    .oldest_seconds = number_in<double>(each, "oldest_seconds"),
                    .pending = number_in<std::uint64_t>(each, "pending").value_or(0),
                    .threads = list_in<std::int64_t>(each, "threads")});
  return made;
}

std::vector<operation_group> operation_groups_of(const json& from) {
  std::vector<operation_group> made;
  for (const json& each : from) {
    operation_group& group = made.emplace_back();
    group.count = number_in<std::uint64_t>(each, "count").value_or(0);
    group.kind = text_in(each, "kind");
    group.ready = flag_in(each, "ready");
    group.oldest_seconds = number_in<double>(each, "oldest_seconds");
    group.newest_seconds = number_in<double>(each, "newest_seconds");
    for (const json& one : member(each, "operations"))
      group.some.push_back({.fd = number_in<int>(one, "fd"),
                            .peer = text_in(one, "peer"),
                            .since_seconds = number_in<double>(one, "since_seconds")});
  }
  return made;
}

// The limits of the control group are in a section of the report; where in it, is left to it. What
// has changed since the report before is beside them, by the same names, but of no group.
void find_limits(const json& in, process& made) {
  if (!in.is_object() || made.throttled_seconds) return;
  if (in.contains("group") && in.contains("throttled_seconds")) {
    made.throttled_seconds = number_in<double>(in, "throttled_seconds");
    made.throttled_periods = number_in<double>(in, "throttled_periods");
    made.periods = number_in<double>(in, "periods");
    return;
  }
  for (const json& each : in)
    find_limits(each, made);
}

process process_of(const json& whole) {
  const json& from = member(whole, "process");
  process made;
  made.pid = number_in<std::int64_t>(from, "pid").value_or(0);
  made.start_time = text_in(from, "start_time");
  made.uptime_seconds = number_in<double>(from, "uptime_seconds").value_or(0);
  made.resident_bytes = number_in<double>(member(from, "memory_bytes"), "resident");
  const json& descriptors = member(from, "open_descriptors");
  made.descriptors = number_in<double>(descriptors, "count");
  const json& limit = member(descriptors, "limit");
  if (limit.is_number()) made.descriptor_limit = limit.get<double>();
  for (const json& each : member(descriptors, "newest"))
    made.newest_descriptors.push_back(text_in(each, "what"));
  for (const json& each : member(descriptors, "kinds"))
    made.descriptor_kinds[text_in(each, "kind")] = number_in<double>(each, "count").value_or(0);
  for (const auto& [key, section] : whole.items())
    if (key != "threads" && key != "green_threads") find_limits(section, made);
  return made;
}

// All notes of a report are in its cost, too, which one that was asked for in parts may lack.
void read_notes(const json& whole, report& made) {
  made.main_notes = texts_in(whole, "notes");
  for (std::string& each : texts_in(member(whole, "green_threads"), "notes"))
    made.main_notes.push_back(std::move(each));
  made.notes = texts_in(member(whole, "cost"), "notes");
  if (made.notes.empty()) made.notes = made.main_notes;
}

std::chrono::system_clock::time_point time_in(const std::string& text) {
  std::tm parts{};
  const char* const rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return {};
  const double fraction = *rest == '.' ? std::strtod(rest, nullptr) : 0;
  return std::chrono::system_clock::from_time_t(::timegm(&parts)) +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(
             std::chrono::duration<double>{fraction});
}

std::map<std::string, std::string> options_of(const json& configuration) {
  std::map<std::string, std::string> made;
  for (const auto& [section, entries] : configuration.items())
    for (const auto& [name, option] : entries.items()) {
      const json& value = member(option, "value");
      std::string key = section;
      if (!key.empty()) key += '.';
      key += name;
      made[gmr::texts::printable(key)] =
          gmr::texts::printable(value.is_string() ? value.get<std::string>() : value.dump());
    }
  return made;
}

}  // namespace

bool is_report(const json& text) {
  return text.is_object() && text.contains("schema") && text.contains("threads") &&
         text.contains("process");
}

report parse(const json& text) {
  report made;
  made.time = text_in(text, "time");
  made.at = time_in(made.time);
  made.host = text_in(text, "host");
  made.package = text_in(member(text, "package"), "name");
  made.number = number_in<std::uint64_t>(text, "number").value_or(0);
  for (const json& each : member(text, "findings"))
    made.findings.push_back({.kind = text_in(each, "kind"),
                             .text = text_in(each, "text"),
                             .threads = list_in<std::int64_t>(each, "threads"),
                             .green_threads = list_in<std::uint64_t>(each, "green_threads")});
  read_notes(text, made);
  made.process = process_of(text);
  for (const json& each : member(text, "threads"))
    made.threads.push_back(thread_of(each));
  const json& green_threads = member(text, "green_threads");
  made.has_green_threads = green_threads.is_object();
  made.green_threads = number_in<std::uint64_t>(green_threads, "count").value_or(0);
  if (green_threads.is_object() && green_threads.contains("listed")) {
    made.groups = groups_of_listed(green_threads);
  } else {
    for (const json& each : member(green_threads, "groups"))
      made.groups.push_back(group_of(each));
  }
  made.event_loops = event_loops_of(member(green_threads, "event_loops"));
  made.operations = operation_groups_of(member(text, "operations"));
  if (const json& configuration = member(text, "configuration"); configuration.is_object())
    made.options = options_of(configuration);
  return made;
}

}  // namespace gmr_command::reports
