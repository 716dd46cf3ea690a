// Threads and green threads as groups that unfold.
#include <cstddef>

#include "view/html/html_parts.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

// Of fewer groups, the stacks are open from the beginning.
constexpr std::size_t most_open = 4;

void begin_group(html_output& out, bool is_open) {
  out << "<details class=group";
  if (is_open) out << " open";
}

void write_line(html_output& out, std::string_view content) {
  if (content.empty()) return;
  out << "<p>";
  out.text(content) << "</p>";
}

// Lines of one element: a browser has less to do where there are 10,000 groups.
void write_fact(html_output& out, std::string_view content) {
  if (content.empty()) return;
  out.text(content) << "\n";
}

void write_names(html_output& out, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  out.text(what);
  for (const std::string& name : names) {
    out << " \u201c";
    out.text(name) << "\u201d";
  }
  out << "\n";
}

void write_thread_group(html_output& out, const outlines::thread_group& group, bool is_open,
                        const path_shortener& paths) {
  begin_group(out, is_open);
  out << " id=t";
  out.number(group.threads.front()->id) << "><summary><h3>";
  const bool alone = group.threads.size() == 1;
  out.text(alone ? "Thread " + thread_header(*group.threads.front()) : group_title(group))
      << "</h3>";
  write_place(out, group.stack, paths);
  out << "</summary>";
  if (!alone) {
    for (const thread_info* const thread : group.threads) {
      out << "<p";
      // The group has the anchor of the first.
      if (thread != group.threads.front()) {
        out << " id=t";
        out.number(thread->id);
      }
      out << ">";
      out.text(thread_header(*thread)) << "</p>";
    }
  }
  write_stack(out, group.stack, paths, group.threads.size());
  out << "</details>\n";
}

void write_ids(html_output& out, const green_thread_group& group) {
  out.text(group.count == 1 ? "id " : "ids ");
  for (std::size_t at = 0; at < group.ids.size(); ++at) {
    if (at != 0) out << ", ";
    out.number(group.ids[at]);
  }
  if (group.count > group.ids.size()) {
    out << " and ";
    out.number(group.count - group.ids.size()) << " more";
  }
  out << "\n";
}

void write_running_on(html_output& out, const std::vector<pid_t>& threads) {
  out << "<p class=note>its stack is that of the thread that runs it";
  for (const pid_t thread : threads) {
    out << " <a href=#t";
    out.number(thread) << ">thread ";
    out.number(thread) << "</a>";
  }
  out << "</p>";
}

void write_green_group(html_output& out, const outlines::green_group_outline& shown,
                       std::size_t number, bool is_open, const path_shortener& paths) {
  const green_thread_group& group = *shown.source;
  begin_group(out, is_open);
  out << " id=g";
  out.number(number) << "><summary><h3>";
  out.text(group_title(group)) << "</h3>";
  write_place(out, shown.stack, paths);
  out << "</summary>";
  out << "<div class=about>";
  write_ids(out, group);
  write_names(out, "named", group.names);
  for (const auto& [key, texts] : group.labels)
    write_names(out, "labelled " + key + " =", texts);
  if (shown.parents != outlines::parent_form::none)
    write_fact(out, parents_text(group, shown.parents));
  write_names(out, "spawned in", group.spawned);
  write_fact(out, memory_text(group));
  for (const operation_info& each : group.operations)
    write_fact(out, std::to_string(each.green_thread) + ": " + operation_text(each));
  out << "</div>";
  if (shown.runs_on_thread)
    write_running_on(out, group.threads);
  else
    write_stack(out, shown.stack, paths, group.count);
  out << "</details>\n";
}

void write_listed_stack(html_output& out, const outlines::listed_stack& shown,
                        const path_shortener& paths) {
  begin_group(out, false);
  out << " id=s";
  out.number(shown.number) << "><summary><h3>";
  out.text("Stack " + std::to_string(shown.number) + ": " +
           counted(shown.green_threads.size(), "green thread"))
      << "</h3>";
  write_place(out, shown.stack, paths);
  out << "</summary><ul>";
  for (const green_thread_info* const each : shown.green_threads) {
    out << "<li>";
    out.text(green_thread_text(*each));
  }
  out << "</ul>";
  write_stack(out, shown.stack, paths, shown.green_threads.size());
  out << "</details>\n";
}

}  // namespace

void write_threads(html_output& out, const outlines::outline& shown, const path_shortener& paths) {
  write_line(out, counted(shown.threads.size(), "thread") + ", " +
                      counted(shown.thread_groups.size(), "different stack"));
  const bool are_open = shown.thread_groups.size() <= most_open;
  for (const outlines::thread_group& group : shown.thread_groups)
    write_thread_group(out, group, are_open, paths);
}

void write_green_threads(html_output& out, const outlines::outline& shown,
                         const path_shortener& paths) {
  const green_threads_info& all = shown.source->green_threads;
  std::string summary = counted(all.count, "green thread");
  if (all.count != 0) summary += ", " + counted(all.stacks.size(), "different stack");
  write_line(out, summary);
  for (const event_loop_info& loop : all.event_loops)
    write_line(out, event_loop_text(loop));
  for (const std::string& note : all.notes) {
    out << "<p class=note>";
    out.text(note) << "</p>";
  }
  for (const outlines::listed_stack& each : shown.green_threads.listed)
    write_listed_stack(out, each, paths);
  const std::vector<outlines::green_group_outline>& groups = shown.green_threads.groups;
  for (std::size_t at = 0; at < groups.size(); ++at)
    write_green_group(out, groups[at], at, groups.size() <= most_open, paths);
}

}  // namespace gmr::views
