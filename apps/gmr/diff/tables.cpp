#include "diff/tables.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "diff/table.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::differences {
namespace {

using reports::green_thread_group;
using reports::report;
using reports::series;
using reports::thread;

constexpr const char* none = "-";

std::string time_of_day(const report& of) {
  constexpr std::size_t date = 11;  // "2026-11-26T"
  return of.time.size() > date ? of.time.substr(date) : of.time;
}

table with_reports(const series& compared, std::string title, std::vector<std::string> first,
                   std::vector<std::string> last) {
  table made{std::move(title), std::move(first), {}};
  for (const report& each : compared.all())
    made.header.push_back(time_of_day(each));
  made.header.insert(made.header.end(), last.begin(), last.end());
  return made;
}

std::string short_place(const std::vector<reports::frame>& frames) {
  const reports::frame* const at = reports::innermost_own(frames);
  if (at == nullptr) return none;
  std::string text = at->function.empty() ? "?" : at->function;
  if (at->line > 0)
    text += " (" + at->file.substr(at->file.rfind('/') + 1) + ':' + std::to_string(at->line) + ')';
  return text;
}

std::string doing(const thread& of) {
  const std::string what = of.waits_for ? of.waits_for->kind : of.state;
  return what + " in " + short_place(of.frames);
}

// Those that were somewhere else, waited for something else or used processor time; and those that
// came or went.
table threads_table(const series& compared) {
  table made = with_reports(compared, "Threads", {"thread", "name", "cpu"}, {});
  std::map<std::int64_t, std::string> names;
  for (const report& each : compared.all())
    for (const thread& one : each.threads)
      if (reports::role_of(one) != reports::thread_role::reporter) names[one.id] = one.name;
  for (const auto& [id, name] : names) {
    const thread* const now = compared.now(id);
    const std::string cpu =
        now == nullptr ? none : reports::seconds_text(compared.cpu_between(*now));
    std::vector<std::string> row{std::to_string(id), name, cpu};
    std::string before;
    for (const report& each : compared.all()) {
      const thread* const then = find(each, id);
      const std::string what = then == nullptr ? none : doing(*then);
      row.push_back(what == before && what != none ? "same" : what);
      before = what;
    }
    made.rows.push_back(std::move(row));
  }
  return made;
}

table groups_table(const series& compared) {
  table made = with_reports(compared, "Green threads", {}, {"oldest", "kind", "waits for", "in"});
  std::vector<const green_thread_group*> all;
  for (auto report = compared.all().rbegin(); report != compared.all().rend(); ++report)
    for (const green_thread_group& each : report->groups)
      if (std::ranges::none_of(all, [&](const auto* other) { return same_group(*other, each); }))
        all.push_back(&each);
  for (const green_thread_group* group : all) {
    std::vector<std::string> row;
    for (const report& in : compared.all()) {
      std::uint64_t count = 0;
      for (const green_thread_group& each : in.groups)
        if (same_group(each, *group)) count += each.count;
      row.push_back(count == 0 ? none : std::to_string(count));
    }
    row.push_back(group->oldest_seconds ? reports::seconds_text(*group->oldest_seconds) : none);
    row.push_back(group->state + ' ' + group->kind);
    row.push_back(group->waits_for ? group->waits_for->kind : none);
    row.push_back(short_place(group->frames));
    made.rows.push_back(std::move(row));
  }
  return made;
}

// A row for each key that any report has.
table keyed_table(const series& compared, std::string title, std::vector<std::string> first,
                  const std::function<std::map<std::string, std::string>(const report&)>& values_of,
                  bool only_changes) {
  table made = with_reports(compared, std::move(title), std::move(first), {});
  std::vector<std::map<std::string, std::string>> all;
  std::set<std::string> keys;
  for (const report& each : compared.all()) {
    all.push_back(values_of(each));
    for (const auto& [key, value] : all.back())
      keys.insert(key);
  }
  for (const std::string& key : keys) {
    std::vector<std::string> row{key};
    std::set<std::string> different;
    for (const auto& each : all) {
      const auto found = each.find(key);
      row.push_back(found == each.end() ? none : found->second);
      different.insert(row.back());
    }
    if (!only_changes || different.size() > 1) made.rows.push_back(std::move(row));
  }
  return made;
}

std::map<std::string, std::string> findings_in(const report& in) {
  std::map<std::string, std::string> found;
  for (const reports::finding& each : in.findings) {
    std::string threads;
    for (const std::int64_t id : each.threads)
      threads += (threads.empty() ? "" : " ") + std::to_string(id);
    found[each.kind] = threads.empty() ? "yes" : threads;
  }
  return found;
}

std::map<std::string, std::string> operations_in(const report& in) {
  std::map<std::string, std::uint64_t> counts;
  for (const reports::operation_group& each : in.operations)
    counts[each.kind + (each.ready ? ", ready" : ", pending")] += each.count;
  std::map<std::string, std::string> texts;
  for (const auto& [kind, count] : counts)
    texts[kind] = std::to_string(count);
  return texts;
}

std::map<std::string, std::string> process_in(const report& in) {
  std::map<std::string, std::string> values{{"threads", std::to_string(in.threads.size())},
                                            {"green threads", std::to_string(in.green_threads)}};
  if (in.process.resident_bytes)
    values["resident memory"] = reports::bytes_text(*in.process.resident_bytes);
  if (in.process.descriptors)
    values["descriptors"] = std::to_string(std::lround(*in.process.descriptors));
  for (const auto& [kind, count] : in.process.descriptor_kinds)
    values["descriptors, " + kind] = std::to_string(std::lround(count));
  return values;
}

}  // namespace

void print(std::ostream& to, const series& compared) {
  const report& last = compared.last();
  to << compared.all().size() << " reports of " << last.package << ", process " << last.process.pid
     << " on " << last.host << ", within " << reports::seconds_text(compared.seconds()) << '\n';
  print(to, keyed_table(compared, "Findings", {"kind"}, findings_in, false));
  print(to, threads_table(compared));
  print(to, groups_table(compared));
  print(to, keyed_table(compared, "Operations", {"operation"}, operations_in, false));
  print(to, keyed_table(compared, "Process", {"what"}, process_in, false));
  print(to, keyed_table(
                compared, "Options that changed", {"option"},
                [](const report& in) { return in.options; }, true));
}

}  // namespace gmr_command::differences
