// Conclusions about threads: deadlocks, convoys, spinning threads.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "analyse/futex_wait.hpp"
#include "analyse/threads.hpp"
#include "capture/task_files.hpp"

namespace gmr::analyse {
namespace {

using threads_by_id = std::map<pid_t, const thread_info*>;

bool waits_for_lock(const thread_info& thread) noexcept {
  return thread.waits_for && thread.waits_for->owner && thread.waits_for->address &&
         (thread.waits_for->kind == "mutex" || thread.waits_for->kind == "join");
}

std::string hexadecimal(std::uint64_t number) {
  char text[2 + 2 * sizeof number + 1];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string name_of(const thread_info& thread) {
  return "thread " + std::to_string(thread.id) + " (" + thread.name + ")";
}

// Whether the thread still waits for the same, and the same thread still holds it.
bool still_waits(const thread_info& thread, capture::task_files& files) {
  capture::thread_snapshot now;
  now.id = thread.id;
  now.syscall = files.blocked_in(thread.id);
  const std::optional<wait_info> wait = wait_of(now);
  return wait && wait->kind == thread.waits_for->kind &&
         wait->address == thread.waits_for->address && wait->owner == thread.waits_for->owner;
}

// The circle that following owners from `start` ends in, smallest tid first; empty when none.
std::vector<const thread_info*> find_circle(const thread_info& start, const threads_by_id& all) {
  std::vector<const thread_info*> way;
  for (const thread_info* at = &start; waits_for_lock(*at);) {
    const auto seen = std::find(way.begin(), way.end(), at);
    if (seen != way.end()) {
      way.erase(way.begin(), seen);
      std::rotate(
          way.begin(),
          std::min_element(way.begin(), way.end(),
                           [](const auto* one, const auto* two) { return one->id < two->id; }),
          way.end());
      return way;
    }
    way.push_back(at);
    const auto owner = all.find(*at->waits_for->owner);
    if (owner == all.end()) break;
    at = owner->second;
  }
  return {};
}

finding describe_deadlock(const std::vector<const thread_info*>& circle) {
  finding found;
  found.kind = "deadlock";
  found.text = "Deadlock of " + std::to_string(circle.size()) +
               (circle.size() == 1 ? " thread: " : " threads: ");
  for (std::size_t i = 0; i < circle.size(); ++i) {
    const thread_info& waiting = *circle[i];
    const thread_info& owner = *circle[(i + 1) % circle.size()];
    if (i > 0) found.text += "; ";
    found.text += name_of(waiting);
    if (waiting.waits_for->kind == "join")
      found.text += " waits for the end of " + name_of(owner);
    else
      found.text += " waits for mutex " + hexadecimal(*waiting.waits_for->address) + " held by " +
                    (circle.size() == 1 ? "itself" : name_of(owner));
    found.threads.push_back(waiting.id);
  }
  return found;
}

// Also returns the threads in them.
std::vector<finding> find_deadlocks(const threads_by_id& all, std::set<pid_t>& dead) {
  std::vector<finding> found;
  capture::task_files files;
  for (const auto& [id, thread] : all) {
    if (dead.contains(id)) continue;
    const auto circle = find_circle(*thread, all);
    // Threads were looked at one after the other: a circle may never have existed. All of it
    // holding still, seen once more, is a deadlock.
    const bool stays = !circle.empty() && !dead.contains(circle.front()->id) &&
                       std::all_of(circle.begin(), circle.end(), [&](const thread_info* each) {
                         return still_waits(*each, files);
                       });
    if (!stays) continue;
    for (const thread_info* each : circle)
      dead.insert(each->id);
    found.push_back(describe_deadlock(circle));
  }
  return found;
}

const frame* innermost_own(const thread_info& thread) {
  const auto& frames = thread.stack.frames;
  const auto own = std::find_if(frames.begin(), frames.end(), [](const frame* each) {
    return !each->internal && !each->file.empty();
  });
  if (own != frames.end()) return *own;
  return frames.empty() ? nullptr : frames.front();
}

std::string place_of(const thread_info& thread) {
  const frame* const at = innermost_own(thread);
  if (at == nullptr || at->function.empty()) return {};
  std::string place = " in " + at->function;
  if (!at->file.empty()) place += " at " + at->file + ':' + std::to_string(at->line);
  return place;
}

finding describe_convoy(std::uint64_t address, pid_t owner, std::vector<pid_t> waiting,
                        const threads_by_id& all) {
  finding found;
  found.kind = "convoy";
  found.text = std::to_string(waiting.size()) + " threads wait for mutex " + hexadecimal(address) +
               " held by ";
  const auto holder = all.find(owner);
  if (holder == all.end()) {
    found.text += "thread " + std::to_string(owner);
  } else {
    found.text += name_of(*holder->second) + place_of(*holder->second);
    if (holder->second->waits_for)
      found.text += ", which waits for " + holder->second->waits_for->kind;
  }
  found.threads = std::move(waiting);
  found.threads.insert(found.threads.begin(), owner);
  return found;
}

std::vector<finding> find_convoys(const threads_by_id& all, const std::set<pid_t>& dead) {
  std::map<std::pair<std::uint64_t, pid_t>, std::vector<pid_t>> queues;
  for (const auto& [id, thread] : all)
    if (waits_for_lock(*thread) && thread->waits_for->kind == "mutex")
      queues[{*thread->waits_for->address, *thread->waits_for->owner}].push_back(id);
  constexpr std::size_t fewest = 3;
  std::vector<finding> found;
  for (auto& [lock, waiting] : queues) {
    const auto& [address, owner] = lock;
    if (waiting.size() < fewest || dead.contains(owner)) continue;
    found.push_back(describe_convoy(address, owner, std::move(waiting), all));
  }
  std::sort(found.begin(), found.end(), [](const finding& one, const finding& two) {
    return std::pair{two.threads.size(), one.threads} < std::pair{one.threads.size(), two.threads};
  });
  return found;
}

std::vector<finding> find_spinning(const threads_by_id& all) {
  constexpr double whole_cpu = 95;
  std::vector<finding> found;
  for (const auto& [id, thread] : all) {
    if (thread->is_reporter || !thread->cpu || thread->cpu->recent_percent < whole_cpu) continue;
    finding& spinning = found.emplace_back();
    spinning.kind = "spinning_thread";
    spinning.text = name_of(*thread) + " uses a whole CPU" + place_of(*thread);
    spinning.threads.push_back(id);
  }
  return found;
}

void append(std::vector<finding>& all, std::vector<finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

std::vector<finding> findings_of(const report& complete) {
  threads_by_id all;
  for (const thread_info& thread : complete.threads)
    all.emplace(thread.id, &thread);
  std::set<pid_t> dead;
  std::vector<finding> found = find_deadlocks(all, dead);
  append(found, find_convoys(all, dead));
  append(found, find_spinning(all));
  return found;
}

}  // namespace gmr::analyse
