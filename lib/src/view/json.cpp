#include "view/json.hpp"

#include <string>
#include <vector>

#include "gmr/view/view.hpp"
#include "os/task_state.hpp"
#include "text/times.hpp"
#include "view/json_green_threads.hpp"
#include "view/json_operations.hpp"
#include "view/json_output.hpp"
#include "view/json_sections.hpp"
#include "view/json_stack.hpp"

namespace gmr::views {
namespace {

void write_texts(json_output& out, const std::vector<std::string>& texts) {
  out.begin_array();
  for (const std::string& each : texts)
    out.text(each);
  out.end_array();
}

void write_finding(json_output& out, const outlines::finding_outline& shown) {
  const finding& each = *shown.source;
  out.begin_object();
  out.key("kind");
  out.text(to_string(each.kind));
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
  out.key("stacks");
  out.begin_array();
  for (const outlines::thread_with_stack& stack : shown.stacks)
    out.number(stack.thread->id);
  out.end_array();
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

void write_thread(json_output& out, const outlines::thread_outline& shown) {
  const thread_info& each = *shown.source;
  out.begin_object();
  out.key("id");
  out.number(each.id);
  out.key("name");
  out.text(each.name);
  out.key("state");
  out.text(os::state_word(each.state));
  out.key("capture");
  out.text(to_string(each.capture));
  out.key("notes");
  write_texts(out, shown.notes);
  out.key("waits_for");
  write_wait(out, each.waits_for);
  out.key("cpu");
  write(out, each.cpu);
  out.key("runs");
  out.number_or_null(each.runs);
  out.key("is_reporter");
  out.boolean(each.is_reporter);
  out.key("frames");
  write_frames(out, each.stack);
  out.end_object();
}

void write_threads(json_output& out, const outlines::outline& shown) {
  out.key("threads");
  out.begin_array();
  for (const outlines::thread_outline& each : shown.threads)
    write_thread(out, each);
  out.end_array();
  out.key("thread_groups");
  out.begin_array();
  for (const outlines::thread_group& group : shown.thread_groups) {
    out.begin_array();
    for (const thread_info* thread : group.threads)
      out.number(thread->id);
    out.end_array();
  }
  out.end_array();
}

void write_cost(json_output& out, const outlines::outline& shown) {
  const report& complete = *shown.source;
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
  out.key("refused");
  out.number(complete.refused);
  out.key("notes");
  write_texts(out, shown.all_notes);
  out.end_object();
}

void write_head(json_output& out, const outlines::outline& shown) {
  const report& complete = *shown.source;
  out.key("schema");
  out.number(json_schema);
  out.key("cause");
  out.text(complete.cause);
  out.key("time");
  out.text(texts::utc_time(complete.time));
  out.key("host");
  out.text(complete.host);
  out.key("number");
  out.number(complete.number);
  out.key("findings");
  out.begin_array();
  for (const outlines::finding_outline& each : shown.findings)
    write_finding(out, each);
  out.end_array();
  out.key("notes");
  write_texts(out, complete.notes);
  out.key("source_root");
  out.text_or_null(shown.source_root);
}

void write_part(json_output& out, outlines::part which, const outlines::outline& shown) {
  using outlines::part;
  switch (which) {
    case part::package:
      out.key("package");
      return out.tree(shown.package);
    case part::process:
      out.key("process");
      return out.tree(shown.process);
    case part::modules:
      out.key("modules");
      return write_modules(out, shown.source->modules);
    case part::threads:
      return write_threads(out, shown);
    case part::green_threads:
      out.key("green_threads");
      return write_green_threads(out, shown);
    case part::operations:
      out.key("operations");
      return write_operations(out, shown.source->operations);
    case part::configuration:
      out.key("configuration");
      return write_configuration(out, shown.configuration);
    case part::sections:
      out.key("sections");
      return write_sections(out, shown.sections);
  }
}

}  // namespace

std::string to_json(const outlines::outline& shown) {
  json_output out;
  out.begin_object();
  write_head(out, shown);
  for (const outlines::part each : shown.parts)
    write_part(out, each, shown);
  out.key("cost");
  write_cost(out, shown);
  out.end_object();
  return out.take();
}

}  // namespace gmr::views
