#include "view/json.hpp"

#include <string_view>

#include "view/json_green_threads.hpp"
#include "view/json_output.hpp"
#include "view/json_sections.hpp"
#include "view/json_stack.hpp"

namespace gmr::views {
namespace {

void write_findings(json_output& out, const std::vector<finding>& findings) {
  out.begin_array();
  for (const finding& each : findings) {
    out.begin_object();
    out.key("kind");
    out.text(each.kind);
    out.key("text");
    out.text(each.text);
    out.key("threads");
    out.begin_array();
    for (const pid_t thread : each.threads)
      out.number(thread);
    out.end_array();
    out.key("green_threads");
    out.begin_array();
    for (const std::uint64_t id : each.green_threads)
      out.number(id);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

// The sections package and process are objects even when the stage that makes them failed.
void write_package(json_output& out, const report& complete) {
  if (!complete.package_details.is_null()) return out.tree(complete.package_details);
  out.begin_object();
  out.key("name");
  out.text(complete.package.name);
  out.key("version");
  out.text_or_null(complete.package.version);
  out.key("vendor");
  out.text_or_null(complete.package.vendor);
  out.key("revision");
  out.text_or_null(complete.package.revision);
  out.end_object();
}

void write_process(json_output& out, const value& process) {
  if (!process.is_null()) return out.tree(process);
  out.begin_object();
  out.end_object();
}

void write_modules(json_output& out, const std::vector<module_info>& modules) {
  out.begin_array();
  for (const module_info& each : modules) {
    out.begin_object();
    out.key("path");
    out.text(each.path);
    out.key("build_id");
    out.text_or_null(each.build_id);
    out.key("base");
    out.address(each.base);
    out.end_object();
  }
  out.end_array();
}

void write(json_output& out, const std::optional<cpu_times>& cpu) {
  if (!cpu) return out.null();
  out.begin_object();
  out.key("user_seconds");
  out.seconds(cpu->user_seconds);
  out.key("system_seconds");
  out.seconds(cpu->system_seconds);
  out.key("waiting_seconds");
  out.seconds(cpu->waiting_seconds);
  out.key("recent_percent");
  out.number(std::round(cpu->recent_percent * 10) / 10);
  out.end_object();
}

void write_threads(json_output& out, const std::vector<thread_info>& threads) {
  out.begin_array();
  for (const thread_info& each : threads) {
    out.begin_object();
    out.key("id");
    out.number(each.id);
    out.key("name");
    out.text(each.name);
    out.key("state");
    out.text(state_word(each.state));
    out.key("capture");
    out.text(to_string(each.capture));
    out.key("waits_for");
    write_wait(out, each.waits_for);
    out.key("cpu");
    write(out, each.cpu);
    out.key("runs");
    out.number_or_null(each.runs);
    out.key("frames");
    write_frames(out, each.stack);
    out.end_object();
  }
  out.end_array();
}

void write_stack_note(json_output& out, const std::string& whose, const std::string& note,
                      const stack& frames) {
  if (!note.empty()) out.text(whose + ": " + note);
  if (!frames.note.empty() && frames.note != note) out.text(whose + ": " + frames.note);
}

// By the place in `stacks` or in `groups`, whichever this report has.
void write_green_notes(json_output& out, const report& complete) {
  const green_threads_info& info = complete.green_threads;
  const bool each = complete.list == report_list::each;
  for (std::size_t at = 0; at < (each ? info.stacks.size() : info.groups.size()); ++at) {
    const std::size_t number = each ? at : info.groups[at].stack;
    const std::string place = (each ? "stack " : "group ") + std::to_string(at);
    if (number < info.stacks.size())
      write_stack_note(out, place + " of green threads", "", info.stacks[number]);
  }
}

// Everything that was cut short, and why: nothing is left out without being announced.
void write_notes(json_output& out, const report& complete) {
  out.begin_array();
  for (const std::string& note : complete.notes)
    out.text(note);
  for (const std::string& note : complete.green_threads.notes)
    out.text(note);
  for (const thread_info& each : complete.threads)
    write_stack_note(out, "thread " + std::to_string(each.id), each.note, each.stack);
  write_green_notes(out, complete);
  out.end_array();
}

void write_cost(json_output& out, const report& complete) {
  const cost_info& cost = complete.cost;
  out.begin_object();
  out.key("capture_seconds");
  out.seconds(cost.capture_seconds);
  out.key("resolve_seconds");
  out.seconds(cost.resolve_seconds);
  out.key("sections_seconds");
  out.seconds(cost.sections_seconds);
  out.key("total_seconds");
  out.seconds(cost.total_seconds);
  out.key("memory_growth_bytes");
  out.number(cost.memory_growth_bytes);
  out.key("requests");
  out.number(complete.coalesced);
  out.key("notes");
  write_notes(out, complete);
  out.end_object();
}

}  // namespace

std::string to_json(const report& complete) {
  json_output out;
  out.begin_object();
  out.key("schema");
  out.number(report::schema);
  out.key("cause");
  out.text(complete.cause);
  out.key("time");
  out.text(rfc3339(complete.time));
  out.key("host");
  out.text(complete.host);
  out.key("number");
  out.number(complete.number);
  out.key("findings");
  write_findings(out, complete.findings);
  out.key("package");
  write_package(out, complete);
  out.key("process");
  write_process(out, complete.process);
  out.key("modules");
  write_modules(out, complete.modules);
  out.key("threads");
  write_threads(out, complete.threads);
  out.key("green_threads");
  write_green_threads(out, complete.green_threads, complete.list);
  out.key("configuration");
  write_configuration(out, complete.configuration);
  out.key("sections");
  write_sections(out, complete.sections);
  out.key("cost");
  write_cost(out, complete);
  out.end_object();
  return out.take();
}

}  // namespace gmr::views
