// Conclusions about threads: deadlocks, locks that nobody can give back, convoys, spinning threads.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "analyse/finding_text.hpp"
#include "analyse/suspended_locks.hpp"
#include "analyse/threads.hpp"
#include "capture/task_files.hpp"

namespace gmr::analyse {
namespace {

using threads_by_id = std::map<pid_t, const thread_info*>;

bool waits_for_lock(const thread_info& thread) noexcept {
  return thread.waits_for && thread.waits_for->owner && thread.waits_for->address &&
         (thread.waits_for->kind == "mutex" || thread.waits_for->kind == "rwlock" ||
          thread.waits_for->kind == "join");
}

using circle = std::vector<const thread_info*>;

// Whether the thread still waits for the same, and the same thread still holds it.
bool still_waits(const thread_info& thread, capture::task_files& files) {
  capture::thread_snapshot now;
  now.id = thread.id;
  now.syscall = files.blocked_in(thread.id);
  const std::optional<wait_info> wait = wait_of(now);
  return wait && wait->kind == thread.waits_for->kind &&
         wait->address == thread.waits_for->address && wait->owner == thread.waits_for->owner;
}

// Threads were looked at one after the other: a circle of waits may never have existed, and two
// threads that use two locks in turn can look like one again and again. It is one when all wait and
// none has run while that was seen: only one of them could have given back a lock.
bool stands_still(const circle& waiting, capture::task_files& files) {
  const auto clocks = [&] {
    std::vector<std::uint64_t> times;
    for (const thread_info* each : waiting)
      times.push_back(capture::cpu_clock(each->id));
    return times;
  };
  const std::vector<std::uint64_t> before = clocks();
  return std::all_of(waiting.begin(), waiting.end(),
                     [&](const thread_info* each) { return still_waits(*each, files); }) &&
         clocks() == before;
}

// The circle that following owners from `start` ends in, smallest tid first; empty when none.
circle find_circle(const thread_info& start, const threads_by_id& all) {
  circle way;
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

finding describe_deadlock(const circle& stuck) {
  finding found;
  found.kind = "deadlock";
  found.text = "Deadlock of " + std::to_string(stuck.size()) +
               (stuck.size() == 1 ? " thread: " : " threads: ");
  for (std::size_t i = 0; i < stuck.size(); ++i) {
    const thread_info& waiting = *stuck[i];
    const thread_info& owner = *stuck[(i + 1) % stuck.size()];
    if (i > 0) found.text += "; ";
    found.text += name_of(waiting);
    if (waiting.waits_for->kind == "join")
      found.text += " waits for the end of " + name_of(owner);
    else
      found.text += " waits for " + waiting.waits_for->kind + ' ' +
                    hexadecimal(*waiting.waits_for->address) + " held by " +
                    (stuck.size() == 1 ? "itself" : name_of(owner));
    found.threads.push_back(waiting.id);
  }
  found.stacks = stuck.size();
  return found;
}

// Also returns the threads in them.
std::vector<finding> find_deadlocks(const threads_by_id& all, std::set<pid_t>& dead) {
  std::vector<finding> found;
  capture::task_files files;
  for (const auto& [id, thread] : all) {
    if (dead.contains(id)) continue;
    const circle stuck = find_circle(*thread, all);
    if (stuck.empty() || dead.contains(stuck.front()->id) || !stands_still(stuck, files)) continue;
    for (const thread_info* each : stuck)
      dead.insert(each->id);
    found.push_back(describe_deadlock(stuck));
  }
  return found;
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
    found.text += name_of(*holder->second) + place_of(holder->second->stack);
    if (holder->second->waits_for)
      found.text += ", which waits for " + holder->second->waits_for->kind;
  }
  found.threads = std::move(waiting);
  found.threads.insert(found.threads.begin(), owner);
  found.stacks = 1;
  return found;
}

// Not those whose owner another finding explains.
std::vector<finding> find_convoys(const threads_by_id& all, const std::set<pid_t>& explained) {
  std::map<std::pair<std::uint64_t, pid_t>, std::vector<pid_t>> queues;
  for (const auto& [id, thread] : all)
    if (waits_for_lock(*thread) && thread->waits_for->kind == "mutex")
      queues[{*thread->waits_for->address, *thread->waits_for->owner}].push_back(id);
  constexpr std::size_t fewest = 3;
  std::vector<finding> found;
  for (auto& [lock, waiting] : queues) {
    const auto& [address, owner] = lock;
    if (waiting.size() < fewest || explained.contains(owner)) continue;
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
    if (thread->is_reporter || !thread->cpu) continue;
    const double percent = thread->cpu->recent_percent;
    if (percent < whole_cpu && !thread->cpu->never_paused) continue;
    finding& spinning = found.emplace_back();
    spinning.kind = "spinning_thread";
    spinning.text = name_of(*thread) + " uses ";
    spinning.text += percent < whole_cpu
                         ? "all it can get of a CPU, " + std::to_string(std::lround(percent)) + " %"
                         : "a whole CPU";
    spinning.text += place_of(thread->stack);
    spinning.threads.push_back(id);
    spinning.stacks = 1;
  }
  return found;
}

void append(std::vector<finding>& all, std::vector<finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

std::vector<finding> findings_of(const report& complete, std::span<const lock_suspects> suspects) {
  threads_by_id all;
  for (const thread_info& thread : complete.threads)
    all.emplace(thread.id, &thread);
  std::set<pid_t> dead;
  std::vector<finding> found = find_deadlocks(all, dead);
  std::vector<finding> suspended = find_suspended_locks(all, suspects);
  std::set<pid_t> explained = std::move(dead);
  for (const finding& each : suspended)
    explained.insert(each.threads.front());
  append(found, std::move(suspended));
  append(found, find_convoys(all, explained));
  append(found, find_spinning(all));
  return found;
}

}  // namespace gmr::analyse
