#include "view/text_threads.hpp"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "os/task_state.hpp"
#include "text/printable.hpp"
#include "text/quantities.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t most_ids_in_title = 12;

std::string percent_text(double percent) {
  return std::to_string(std::lround(std::isfinite(percent) ? percent : 0)) + " %";
}

std::string cpu_text(const cpu_times& cpu) {
  std::string out = "cpu " + texts::human_duration(cpu.user_seconds + cpu.system_seconds);
  if (cpu.recent_percent >= 0.5) out += " (now " + percent_text(cpu.recent_percent) + ")";
  if (cpu.waiting_seconds >= 0.001)
    out += ", ready but not running " + texts::human_duration(cpu.waiting_seconds);
  return out;
}

}  // namespace

std::string thread_header(const thread_info& thread) {
  std::string out = std::to_string(thread.id) + " " + texts::printable(thread.name) + ": ";
  out += os::state_word(thread.state);
  if (thread.capture != capture_outcome::ok)
    out += ", stack " + std::string{to_string(thread.capture)};
  if (thread.runs) out += ", runs green thread " + std::to_string(*thread.runs);
  if (thread.waits_for) out += ", waits for " + wait_text(*thread.waits_for);
  if (thread.is_reporter) out += ", makes this report";
  if (thread.cpu) out += ", " + cpu_text(*thread.cpu);
  if (!thread.note.empty()) out += " (" + texts::printable(thread.note) + ")";
  return out;
}

std::string group_title(const outlines::thread_group& group) {
  std::vector<std::string> ids;
  ids.reserve(group.threads.size());
  for (const thread_info* thread : group.threads)
    ids.push_back(std::to_string(thread->id));
  return "Threads " + join_some(ids, most_ids_in_title, ids.size()) + " (" +
         std::to_string(ids.size()) + "): same stack";
}

void show_threads(page& out, const outlines::outline& shown, const path_shortener& paths) {
  const std::vector<outlines::thread_group>& groups = shown.thread_groups;
  out.line(0, counted(shown.threads.size(), "thread") + ", " +
                  counted(groups.size(), "different stack"));
  for (const outlines::thread_group& group : groups) {
    if (group.threads.size() > 1) {
      out.block(group_title(group));
      for (const thread_info* thread : group.threads)
        out.line(0, thread_header(*thread));
    } else {
      out.block("Thread " + thread_header(*group.threads.front()));
    }
    show_stack(out, 2, group.stack, paths);
  }
}

}  // namespace gmr::views
