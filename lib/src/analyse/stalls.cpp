#include "analyse/stalls.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <optional>

#include "analyse/finding_text.hpp"
#include "text/hex.hpp"
#include "text/quantities.hpp"

namespace gmr::analyse {
namespace {

double rounded_seconds(std::uint64_t nanoseconds) noexcept {
  return std::round(static_cast<double>(nanoseconds) / 1e6) / 1e3;
}

const thread_info* find_thread(const report& complete, pid_t id) {
  const auto found = std::ranges::find(complete.threads, id, &thread_info::id);
  return found == complete.threads.end() ? nullptr : &*found;
}

// " and waits for mutex 0x7f00 held by thread 813 (db) in flush at db.cpp:57"
std::string wait_phrase(const thread_info& thread, const report& complete, finding& to) {
  if (!thread.waits_for) return thread.state == 'R' ? ", running" : std::string{};
  const wait_info& wait = *thread.waits_for;
  std::string out = ", and waits for " + std::string{wait.word()};
  if (wait.address) out += ' ' + texts::hex(*wait.address);
  if (!wait.peer.empty()) out += " (" + wait.peer + ")";
  if (!wait.owner) return out;
  out += " held by ";
  const thread_info* const owner = find_thread(complete, *wait.owner);
  if (owner == &thread) return out + "itself";
  if (owner == nullptr) return out + "thread " + std::to_string(*wait.owner);
  out += name_of(*owner) + place_of(owner->stack);
  if (owner->waits_for) out.append(", which waits for ").append(owner->waits_for->word());
  if (std::ranges::find(to.threads, owner->id) == to.threads.end()) to.threads.push_back(owner->id);
  return out;
}

std::string thread_phrase(const thread_info& thread) {
  std::string out = name_of(thread);
  if (thread.runs) out += ", which runs green thread " + std::to_string(*thread.runs) + ',';
  const std::string place = place_of(thread.stack);
  return place.empty() ? out + " blocks it" : out + " is" + place;
}

std::string title_of(const trace::event_loop_state& loop, const report& complete) {
  const pid_t first = loop.threads.empty() ? 0 : loop.threads.front();
  const thread_info* const thread = find_thread(complete, first);
  return loop_title(loop.name, first, thread == nullptr ? std::string{} : thread->name);
}

finding describe_stall(const trace::event_loop_state& loop, std::uint64_t now,
                       const report& complete) {
  finding out;
  out.kind = finding_kind::stall;
  out.text = "event loop " + title_of(loop, complete) + " has run nothing for " +
             texts::human_duration(rounded_seconds(now - std::min(now, loop.stalled)));
  out.threads = loop.threads;
  std::size_t described = 0;
  constexpr std::size_t most = 3;
  for (const pid_t id : loop.threads) {
    const thread_info* const thread = find_thread(complete, id);
    if (thread == nullptr) continue;
    if (thread->runs) out.green_threads.push_back(*thread->runs);
    if (++described > most) continue;
    out.text += (described == 1 ? ": " : "; ") + thread_phrase(*thread);
    out.text += wait_phrase(*thread, complete, out);
  }
  if (described > most) out.text += "; and " + std::to_string(described - most) + " threads more";
  if (described == 0) out.text += "; which thread runs it is not known";
  out.stacks = out.threads.size();
  return out;
}

std::optional<std::uint64_t> queue_of(const trace::event_loop_state& loop,
                                      std::span<const event_loop_info> counted) {
  const auto known = std::ranges::find(counted, reinterpret_cast<std::uintptr_t>(loop.context),
                                       &event_loop_info::address);
  if (known != counted.end()) return known->queued;
  if (!counted.empty()) return 0;
  if (loop.is_measured) return loop.queued;
  return std::nullopt;
}

std::vector<value> row_of(const trace::event_loop_state& loop, std::uint64_t now,
                          std::span<const event_loop_info> counted) {
  std::string threads;
  for (const pid_t each : loop.threads)
    threads.append(threads.empty() ? "" : " ").append(std::to_string(each));
  const auto measured = [&](std::uint64_t time) {
    return loop.is_measured ? value{rounded_seconds(time)} : value{};
  };
  return {loop.name.empty() ? value{} : value{loop.name},
          texts::hex(reinterpret_cast<std::uintptr_t>(loop.context)),
          threads,
          queue_of(loop, counted),
          measured(loop.delay),
          measured(loop.worst),
          loop.stalled == 0 ? value{} : value{rounded_seconds(now - std::min(now, loop.stalled))}};
}

}  // namespace

std::string loop_title(const std::string& name, pid_t thread, const std::string& thread_name) {
  if (!name.empty()) return name;
  if (thread == 0) return "of a thread that is not known";
  return "of thread " + std::to_string(thread) + " (" + thread_name + ")";
}

loops_seen see_event_loops() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  loops_seen seen;
  seen.at = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
            static_cast<std::uint64_t>(time.tv_nsec);
  seen.loops = trace::event_loop_states(seen.at);
  const trace::event_loop_notes& notes = trace::notes_of_event_loops();
  seen.standstills = notes.standstills.load(std::memory_order_relaxed);
  seen.last_standstill = notes.last_standstill.load(std::memory_order_relaxed);
  seen.last_lasted = notes.last_lasted.load(std::memory_order_relaxed);
  return seen;
}

value runtime_section(const loops_seen& seen, std::chrono::milliseconds stall,
                      std::span<const event_loop_info> counted) {
  table loops{{"name", "address", "threads", "queued", "delay_seconds", "worst_delay_seconds",
               "stalled_seconds"},
              {}};
  for (const trace::event_loop_state& each : seen.loops)
    loops.rows.push_back(row_of(each, seen.at, counted));
  key_values out;
  const bool is_on = stall.count() != 0;
  out.add("stall_seconds", is_on ? value{std::chrono::duration<double>(stall).count()} : value{});
  out.add("event_loops", std::move(loops));
  if (!is_on) return out;
  out.add("standstills", seen.standstills);
  if (seen.standstills == 0) return out;
  out.add("last_standstill_seconds", rounded_seconds(seen.last_lasted));
  out.add("since_last_standstill_seconds",
          rounded_seconds(seen.at - std::min(seen.at, seen.last_standstill)));
  return out;
}

std::vector<finding> find_stalls(const loops_seen& seen, const report& complete) {
  std::vector<const trace::event_loop_state*> stalled;
  for (const trace::event_loop_state& each : seen.loops)
    if (each.stalled != 0) stalled.push_back(&each);
  std::ranges::stable_sort(stalled, {}, &trace::event_loop_state::stalled);
  std::vector<finding> found;
  found.reserve(stalled.size());
  for (const trace::event_loop_state* const each : stalled)
    found.push_back(describe_stall(*each, seen.at, complete));
  return found;
}

}  // namespace gmr::analyse
