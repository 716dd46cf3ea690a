#include <algorithm>

#include "explain/output.hpp"
#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::series;

std::string summary_of(const series& compared, const explanation& made) {
  if (!made.suspects.empty() && made.verdict != "quiet") return made.suspects.front().text;
  const std::string between =
      compared.compares() ? " in " + reports::seconds_text(compared.seconds()) : "";
  if (made.verdict == "quiet")
    return "Nothing has gone on" + between +
           ": either there is no work, or what should go on waits for something that does not "
           "come.";
  if (made.verdict == "inconclusive")
    return "Nothing looks stuck in what the reports show, but they do not show all: " +
           made.not_seen.front() + '.';
  return compared.compares() ? "Nothing is stuck: what waits" + between +
                                   " waits for work, for time or for clients."
                             : "Nothing looks stuck, as far as one report tells. Ask for a second "
                               "one some seconds later, and "
                               "explain both.";
}

// What is scarce makes a service slow; it does not explain why nothing goes on.
bool is_about_limits(const suspect& each) {
  return each.kind == suspect_kind::throttled || each.kind == suspect_kind::memory_near_limit;
}

}  // namespace

std::string word(suspect_kind kind) {
  switch (kind) {
    case suspect_kind::fatal_error:
      return "fatal_error";
    case suspect_kind::deadlock:
      return "deadlock";
    case suspect_kind::lock_across_suspension:
      return "lock_across_suspension";
    case suspect_kind::lock_held:
      return "lock_held";
    case suspect_kind::stall:
      return "stall";
    case suspect_kind::exhausted_pool:
      return "exhausted_pool";
    case suspect_kind::blocked_loop:
      return "blocked_loop";
    case suspect_kind::blocked_thread:
      return "blocked_thread";
    case suspect_kind::throttled:
      return "throttled";
    case suspect_kind::memory_near_limit:
      return "memory_near_limit";
    case suspect_kind::spinning_thread:
      return "spinning_thread";
    case suspect_kind::descriptor_leak:
      return "descriptor_leak";
    case suspect_kind::growing_group:
      return "growing_group";
    case suspect_kind::event_loop_delayed:
      return "event_loop_delayed";
    case suspect_kind::slow_peer:
      return "slow_peer";
    case suspect_kind::convoy:
      return "convoy";
    case suspect_kind::long_wait:
      return "long_wait";
    case suspect_kind::lost_wakeup:
      return "lost_wakeup";
  }
  return "unknown";
}

suspect suspect_of(suspect_kind kind, const reports::thread& of) {
  suspect made;
  made.kind = kind;
  made.thread = of.id;
  made.thread_name = of.name;
  made.green_thread = of.runs;
  if (const reports::frame* const at = reports::innermost_own(of.frames)) made.at = *at;
  made.threads.push_back(of.id);
  if (!of.waits_for) return made;
  if (!of.waits_for->address.empty())
    made.lock = lock{of.waits_for->address, of.waits_for->kind, of.waits_for->owner};
  made.descriptor = of.waits_for->fd;
  // Of a condition, what stands there is its mutex.
  if (of.waits_for->fd) made.peer = of.waits_for->peer;
  return made;
}

bool explains(const suspects& found, std::int64_t thread) {
  return std::ranges::any_of(found, [thread](const suspect& each) {
    return std::ranges::find(each.threads, thread) != each.threads.end();
  });
}

bool has_waited(const series& compared, const reports::green_thread_group& group) {
  constexpr double clocks_differ = 0.2;
  return compared.compares() && group.state == "suspended" && group.oldest_seconds &&
         *group.oldest_seconds > compared.seconds() - clocks_differ;
}

std::optional<std::uint64_t> waiting_since(const series& compared,
                                           const reports::green_thread_group& group) {
  const reports::green_thread_group* const then = reports::same_group_in(compared.first(), group);
  for (const std::uint64_t id : group.ids)
    if (then != nullptr && std::ranges::find(then->ids, id) != then->ids.end()) return id;
  return group.ids.empty() ? std::nullopt : std::optional{group.ids.front()};
}

bool is_quiet(const series& compared) {
  constexpr double quiet_share = 0.02;
  if (!compared.compares() || compared.cpu_between() > quiet_share * compared.seconds() + 0.05)
    return false;
  return std::ranges::none_of(compared.last().groups, [&](const auto& group) {
    const bool new_wait = group.state == "suspended" && group.newest_seconds &&
                          *group.newest_seconds < compared.seconds() * 0.9;
    return new_wait && !(group.waits_for && group.waits_for->kind == "timer");
  });
}

explanation conclude(const series& compared) {
  explanation made;
  find_findings(compared, made.suspects);
  find_held_locks(compared, made.suspects);
  find_blocked_loops(compared, made.suspects);
  find_processor_trouble(compared, made.suspects);
  find_overloaded_loops(compared, made.suspects);
  find_growth(compared, made.suspects);
  find_slow_peers(compared, made.suspects);
  const std::size_t explained = made.suspects.size();
  if (std::ranges::all_of(made.suspects, is_about_limits) && is_quiet(compared))
    find_lost_wakeups(compared, made.suspects);
  const bool quiet = made.suspects.size() > explained;
  std::ranges::stable_sort(made.suspects, {}, &suspect::kind);
  made.verdict = made.suspects.empty() ? "healthy" : word(made.suspects.front().kind);
  if (quiet) made.verdict = "quiet";
  find_not_seen(compared, made);
  if (made.suspects.empty() && made.may_hide_trouble) made.verdict = "inconclusive";
  made.summary = summary_of(compared, made);
  if (compared.compares()) compare(compared, made);
  return made;
}

}  // namespace gmr_command::explanations
