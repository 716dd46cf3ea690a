#include "view/text_threads.hpp"

#include <cmath>
#include <cstdio>
#include <map>
#include <tuple>

#include "view/human.hpp"
#include "view/printable.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t most_ids_in_title = 12;

using thread_group = std::vector<const thread_info*>;

// Frames are interned, so equal stacks hold equal pointers. Threads without a stack stay apart.
std::vector<thread_group> group_by_stack(const std::vector<thread_info>& threads) {
  using stack_key = std::tuple<std::vector<const frame*>, bool, std::string>;
  std::vector<thread_group> groups;
  std::map<stack_key, std::size_t> known;
  for (const thread_info& each : threads) {
    if (each.stack.frames.empty()) {
      groups.push_back({&each});
      continue;
    }
    const auto [at, added] = known.try_emplace(
        stack_key{each.stack.frames, each.stack.truncated, each.stack.note}, groups.size());
    if (added) groups.emplace_back();
    groups[at->second].push_back(&each);
  }
  return groups;
}

std::string percent_text(double percent) {
  return std::to_string(std::lround(std::isfinite(percent) ? percent : 0)) + " %";
}

std::string cpu_text(const cpu_times& cpu) {
  std::string out = "cpu " + human_duration(cpu.user_seconds + cpu.system_seconds);
  if (cpu.recent_percent >= 0.5) out += " (now " + percent_text(cpu.recent_percent) + ")";
  if (cpu.waiting_seconds >= 0.001)
    out += ", ready but not running " + human_duration(cpu.waiting_seconds);
  return out;
}

// "812 io-1: sleeping, waits for mutex 0x7f.. held by thread 813, cpu 1.2 s": what it does before
// what it used, so that this is on the first line when there are two.
std::string header(const thread_info& thread) {
  std::string out = std::to_string(thread.id) + " " + printable(thread.name) + ": ";
  out += state_word(thread.state);
  if (thread.capture != capture_outcome::ok)
    out += ", stack " + std::string{to_string(thread.capture)};
  if (thread.runs) out += ", runs green thread " + std::to_string(*thread.runs);
  if (thread.waits_for) out += ", waits for " + wait_text(*thread.waits_for);
  if (thread.is_reporter) out += ", makes this report";
  if (thread.cpu) out += ", " + cpu_text(*thread.cpu);
  if (!thread.note.empty()) out += " (" + printable(thread.note) + ")";
  return out;
}

std::string group_title(const thread_group& group) {
  std::vector<std::string> ids;
  for (const thread_info* thread : group)
    ids.push_back(std::to_string(thread->id));
  return "Threads " + join_some(ids, most_ids_in_title, ids.size()) + " (" +
         std::to_string(ids.size()) + "): same stack";
}

}  // namespace

void show_threads(page& out, const std::vector<thread_info>& threads, const path_shortener& paths) {
  const std::vector<thread_group> groups = group_by_stack(threads);
  out.line(0, counted(threads.size(), "thread") + ", " + counted(groups.size(), "different stack"));
  for (const thread_group& group : groups) {
    if (group.size() > 1) {
      out.block(group_title(group));
      for (const thread_info* thread : group)
        out.line(0, header(*thread));
    } else {
      out.block("Thread " + header(*group.front()));
    }
    // The reporter's own stack is always the same and says nothing about the service.
    show_stack(out, 2, group.front()->stack, paths,
               group.front()->is_reporter ? folding::always : folding::unless_all);
  }
}

}  // namespace gmr::views
