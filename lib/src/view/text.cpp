#include "view/text.hpp"

#include <vector>

#include "text/printable.hpp"
#include "text/quantities.hpp"
#include "text/times.hpp"
#include "view/page.hpp"
#include "view/text_changes.hpp"
#include "view/text_stack.hpp"
#include "view/text_threads.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

std::vector<std::string> numbers(const auto& ids) {
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const auto id : ids)
    out.push_back(std::to_string(id));
  return out;
}

void show_finding(page& out, const outlines::finding_outline& shown, const path_shortener& paths) {
  const finding& each = *shown.source;
  out.line(0, "* " + std::string{to_string(each.kind)} + ": " + texts::printable(each.text));
  constexpr std::size_t most = 20;
  if (!each.threads.empty())
    out.line(2, "threads " + join_some(numbers(each.threads), most, each.threads.size()));
  if (!each.green_threads.empty())
    out.line(2, "green threads " +
                    join_some(numbers(each.green_threads), most, each.green_threads.size()));
  for (const auto& [thread, stack] : shown.stacks) {
    out.line(2,
             "thread " + std::to_string(thread->id) + " " + texts::printable(thread->name) + ":");
    show_stack(out, 4, stack, paths);
  }
  if (shown.more_stacks != 0)
    out.line(2, "and " + counted(shown.more_stacks, "thread") + " more: see Threads");
}

void show_head(page& out, const outlines::outline& shown, const path_shortener& paths) {
  const report& complete = *shown.source;
  out.banner("Guru Meditation");
  out.line(0, "Cause:   " + texts::printable(complete.cause));
  out.line(0, "Time:    " + texts::utc_time(complete.time));
  out.line(0, "Host:    " + texts::printable(complete.host));
  out.line(0, "Report:  " + report_number_text(complete));
  out.blank();
  if (shown.findings.empty()) {
    out.line(0, shown.all_seen ? "Findings: no findings"
                               : "Findings: no findings in what could be seen");
  } else {
    out.line(0, "Findings:");
    for (const outlines::finding_outline& each : shown.findings)
      show_finding(out, each, paths);
  }
  for (const std::string& note : complete.notes)
    out.line(0, "Note: " + texts::printable(note));
  if (!shown.source_root.empty())
    out.line(0, "Source paths are relative to " + texts::printable(shown.source_root));
}

// "port = 8080  (server.conf:12)"
void show_configuration(page& out, const std::vector<outlines::option_section>& sections) {
  if (sections.empty()) return out.line(0, "(none given to the reporter)");
  for (const outlines::option_section& section : sections) {
    if (&section != &sections.front()) out.blank();
    if (!section.name.empty()) out.line(0, "[" + texts::printable(section.name) + "]");
    for (const option_entry* entry : section.options) {
      out.line(section.name.empty() ? 0 : 2, texts::printable(entry->name) + " = " +
                                                 inline_text(entry->content) + "  (" +
                                                 texts::printable(entry->source) + ")");
    }
  }
}

void show_section(page& out, const outlines::section_outline& shown) {
  const custom_section& section = *shown.source;
  out.section(texts::printable(shown.title));
  if (!section.error.empty()) {
    out.line(0, "This section could not be made: " + texts::printable(section.error));
  } else if (section.content.is_null()) {
    out.line(0, "(empty)");
  } else {
    show_tree(out, 0, section.content);
  }
}

void show_part(page& out, outlines::part which, const outlines::outline& shown,
               const path_shortener& paths) {
  using outlines::part;
  switch (which) {
    case part::package:
      out.section("Package");
      return show_tree(out, 0, shown.package);
    case part::process:
      out.section("Process");
      return show_tree(out, 0, shown.process);
    case part::runtime:
      out.section("Runtime");
      return show_tree(out, 0, shown.runtime);
    case part::changes:
      if (shown.source->changes) show_changes(out, *shown.source->changes);
      return;
    case part::control_group:
      out.section("Control Group");
      return show_tree(out, 0, shown.control_group);
    case part::modules:
      return;
    case part::threads:
      out.section("Threads");
      return show_threads(out, shown, paths);
    case part::green_threads:
      out.section("Green Threads");
      return show_green_threads(out, shown, paths);
    case part::operations:
      if (shown.source->operations.empty()) return;
      out.section("Operations");
      return show_operations(out, shown.source->operations);
    case part::configuration:
      out.section("Configuration");
      return show_configuration(out, shown.configuration);
    case part::sections:
      for (const outlines::section_outline& section : shown.sections)
        show_section(out, section);
      return;
    case part::log:
      if (shown.source->log.empty()) return;
      out.section("Log");
      return show_log(out, shown.source->log);
  }
}

void show_end(page& out, const report& complete) {
  out.blank();
  out.line(0, cost_text(complete.cost));
  out.banner("End of Guru Meditation");
}

}  // namespace

std::string report_number_text(const report& complete) {
  std::string more;
  if (complete.coalesced > 1) more = "answers " + std::to_string(complete.coalesced) + " requests";
  if (complete.refused != 0)
    more.append(more.empty() ? "" : ", ")
        .append(std::to_string(complete.refused))
        .append(complete.refused == 1 ? " automatic one" : " automatic ones")
        .append(" refused since the last report");
  std::string text = std::to_string(complete.number);
  if (!more.empty()) text.append(" (").append(more).append(")");
  return text;
}

std::string cost_text(const cost_info& cost) {
  return "Made in " + texts::human_duration(cost.total_seconds) + ": capture " +
         texts::human_duration(cost.capture_seconds) + ", resolve " +
         texts::human_duration(cost.resolve_seconds) + ", sections " +
         texts::human_duration(cost.sections_seconds) + "; memory grew by " +
         texts::human_bytes(static_cast<double>(cost.memory_growth_bytes));
}

std::string to_text(const outlines::outline& shown) {
  page out;
  const path_shortener paths{shown};
  show_head(out, shown, paths);
  for (const outlines::part each : shown.parts)
    show_part(out, each, shown, paths);
  show_end(out, *shown.source);
  return out.take();
}

}  // namespace gmr::views
