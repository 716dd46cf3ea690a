// Conclusions about threads: deadlocks, locks that nobody can give back, convoys, spinning threads.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analyse/finding_text.hpp"
#include "analyse/suspended_locks.hpp"
#include "analyse/threads.hpp"
#include "os/memory.hpp"
#include "os/task_files.hpp"
#include "text/hex.hpp"

namespace gmr::analyse {
namespace {

using threads_by_id = std::map<pid_t, const thread_info*>;

bool waits_for_lock(const thread_info& thread) noexcept {
  return thread.waits_for && thread.waits_for->owner && thread.waits_for->address &&
         (thread.waits_for->kind == wait_kind::mutex ||
          thread.waits_for->kind == wait_kind::rwlock || thread.waits_for->kind == wait_kind::join);
}

using circle = std::vector<const thread_info*>;

bool is_same_wait(const std::optional<wait_info>& now, const wait_info& before) {
  return now && now->kind == before.kind && now->address == before.address &&
         now->owner == before.owner;
}

// Whether the innermost frames are what they were when the stack was copied.
bool is_stack_unchanged(const capture::thread_snapshot& captured) {
  constexpr std::size_t innermost = 512;
  const capture::stack_copy& copy = captured.stack.parts.front();
  const std::uintptr_t below = captured.stack.registers.sp() - copy.address;
  if (below >= copy.bytes.size()) return false;
  const auto before = copy.bytes.subspan(below, std::min(innermost, copy.bytes.size() - below));
  std::array<std::byte, innermost> now;
  const auto read = std::span{now}.first(before.size());
  return os::read_memory(captured.stack.registers.sp(), read) && std::ranges::equal(read, before);
}

// What threads wait for, seen again.
class second_look final {
 public:
  explicit second_look(std::span<const capture::thread_snapshot> captured) : captured_(captured) {}

  // Whether the thread still waits for the same, and the same thread still holds it. Where its call
  // can't be read, a thread that sleeps on the same innermost frames is in the same call.
  bool still_waits(const thread_info& thread) {
    capture::thread_snapshot now;
    now.id = thread.id;
    now.syscall = files_.blocked_in(thread.id);
    if (now.syscall || !files_.is_denied(thread.id))
      return is_same_wait(wait_of(now, sockets_), *thread.waits_for);
    const auto before = std::ranges::find(captured_, thread.id, &capture::thread_snapshot::id);
    if (before == captured_.end() || !before->syscall || !is_stack_unchanged(*before)) return false;
    const auto status = files_.status(thread.id);
    return (!status || status->state == 'S') &&
           is_same_wait(wait_of(*before, sockets_), *thread.waits_for);
  }

 private:
  std::span<const capture::thread_snapshot> captured_;
  os::task_files files_;
  socket_list sockets_;  // for threads that wait for a socket by now
};

// Threads were looked at one after the other: a circle of waits may never have existed, and two
// threads that use two locks in turn can look like one again and again. It is one when all wait and
// none has run while that was seen: only one of them could have given back a lock.
bool stands_still(const circle& waiting, second_look& look) {
  const auto clocks = [&] {
    std::vector<std::uint64_t> times;
    for (const thread_info* each : waiting)
      times.push_back(os::cpu_clock(each->id));
    return times;
  };
  const std::vector<std::uint64_t> before = clocks();
  return std::all_of(waiting.begin(), waiting.end(),
                     [&](const thread_info* each) { return look.still_waits(*each); }) &&
         clocks() == before && std::ranges::find(before, 0U) == before.end();
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
  found.kind = finding_kind::deadlock;
  found.text = "Deadlock of " + std::to_string(stuck.size()) +
               (stuck.size() == 1 ? " thread: " : " threads: ");
  for (std::size_t i = 0; i < stuck.size(); ++i) {
    const thread_info& waiting = *stuck[i];
    const thread_info& owner = *stuck[(i + 1) % stuck.size()];
    if (i > 0) found.text += "; ";
    found.text += name_of(waiting);
    if (waiting.waits_for->kind == wait_kind::join)
      found.text += " waits for the end of " + name_of(owner);
    else
      found.text += " waits for " + std::string{waiting.waits_for->word()} + ' ' +
                    texts::hex(*waiting.waits_for->address) + " held by " +
                    (stuck.size() == 1 ? "itself" : name_of(owner));
    found.threads.push_back(waiting.id);
  }
  found.stacks = stuck.size();
  return found;
}

// Also returns the threads in them.
std::vector<finding> find_deadlocks(const threads_by_id& all, second_look look,
                                    std::set<pid_t>& dead) {
  std::vector<finding> found;
  for (const auto& [id, thread] : all) {
    if (dead.contains(id)) continue;
    const circle stuck = find_circle(*thread, all);
    if (stuck.empty() || dead.contains(stuck.front()->id) || !stands_still(stuck, look)) continue;
    for (const thread_info* each : stuck)
      dead.insert(each->id);
    found.push_back(describe_deadlock(stuck));
  }
  return found;
}

finding describe_convoy(std::uint64_t address, pid_t owner, std::vector<pid_t> waiting,
                        const threads_by_id& all) {
  finding found;
  found.kind = finding_kind::convoy;
  found.text = std::to_string(waiting.size()) + " threads wait for mutex " + texts::hex(address) +
               " held by ";
  const auto holder = all.find(owner);
  if (holder == all.end()) {
    found.text += "thread " + std::to_string(owner);
  } else {
    found.text += name_of(*holder->second) + place_of(holder->second->stack);
    if (holder->second->waits_for)
      found.text.append(", which waits for ").append(holder->second->waits_for->word());
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
    if (waits_for_lock(*thread) && thread->waits_for->kind == wait_kind::mutex)
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
    spinning.kind = finding_kind::spinning_thread;
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

std::vector<finding> findings_of(const report& complete, std::span<const lock_suspects> suspects,
                                 std::span<const capture::thread_snapshot> captured) {
  threads_by_id all;
  for (const thread_info& thread : complete.threads)
    all.emplace(thread.id, &thread);
  std::set<pid_t> dead;
  std::vector<finding> found = find_deadlocks(all, second_look{captured}, dead);
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
