#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::finding;
using reports::report;
using reports::series;
using reports::thread;

constexpr std::array<std::pair<std::string_view, suspect_kind>, 7> taken_over{
    {{"fatal_error", suspect_kind::fatal_error},
     {"deadlock", suspect_kind::deadlock},
     {"lock_across_suspension", suspect_kind::lock_across_suspension},
     {"stall", suspect_kind::stall},
     {"cpu_throttled", suspect_kind::throttled},
     {"memory_near_limit", suspect_kind::memory_near_limit},
     {"long_wait", suspect_kind::long_wait}}};

std::string waits_sentence(const thread& each) {
  std::string text = name_of(each);
  text += each.waits_for ? " waits for " + wait_text(*each.waits_for) : " is " + each.state;
  return text + " in " + place_text(reports::innermost_own(each.frames));
}

// The lock that others of the finding wait for and this thread holds.
std::optional<lock> lock_held_by(const report& in, const thread& holder) {
  for (const thread& each : in.threads)
    if (each.waits_for && each.waits_for->owner == holder.id)
      return lock{each.waits_for->address, each.waits_for->kind, holder.id};
  return std::nullopt;
}

void point_at_green_thread(const report& in, std::uint64_t id, suspect& made) {
  made.green_thread = id;
  const reports::green_thread_group* const group = reports::group_of(in, id);
  if (group == nullptr) return;
  if (const reports::frame* const at = reports::innermost_own(group->frames)) made.at = *at;
  made.since_seconds = group->oldest_seconds;
  made.evidence.push_back("green thread " + std::to_string(id) + " is " + group->state + " in " +
                          place_text(reports::innermost_own(group->frames)));
}

suspect from_finding(const report& in, const finding& of, suspect_kind kind) {
  suspect made;
  const thread* const first = of.threads.empty() ? nullptr : find(in, of.threads.front());
  if (first != nullptr) made = suspect_of(kind, *first);
  made.kind = kind;
  made.text = of.text;
  made.threads = of.threads;
  if (kind == suspect_kind::lock_across_suspension && first != nullptr)
    made.lock = lock_held_by(in, *first);
  for (const std::int64_t id : of.threads)
    if (const thread* const each = find(in, id)) made.evidence.push_back(waits_sentence(*each));
  if (!of.green_threads.empty()) point_at_green_thread(in, of.green_threads.front(), made);
  return made;
}

// In how many reports, one after the other and the last of them, such a finding names this thread.
double seconds_in_all(const series& compared, const finding& of) {
  double seconds = 0;
  for (auto at = compared.all().rbegin(); at != compared.all().rend(); ++at) {
    const bool there = std::ranges::any_of(at->findings, [&](const finding& each) {
      return each.kind == of.kind && each.threads == of.threads;
    });
    if (!there) break;
    seconds = std::chrono::duration<double>(compared.last().at - at->at).count();
  }
  return seconds;
}

void say_since(const series& compared, const finding& of, suspect& made) {
  const double seconds = seconds_in_all(compared, of);
  if (seconds <= 0) return;
  if (!made.since_seconds) made.since_seconds = seconds;
  made.evidence.push_back("so it was " + reports::seconds_text(seconds) + " earlier, too");
}

// Many wait for a lock that changes hands: only where it is always so.
void find_convoys(const series& compared, suspects& found) {
  if (!compared.compares()) return;
  const report& last = compared.last();
  for (const finding& each : last.findings) {
    if (each.kind != "convoy" || each.threads.empty()) continue;
    const bool always = std::ranges::all_of(compared.all(), [](const report& one) {
      return std::ranges::any_of(one.findings,
                                 [](const finding& other) { return other.kind == "convoy"; });
    });
    const thread* const holder = find(last, each.threads.front());
    if (!always || holder == nullptr || !compared.stood_still(*holder)) continue;
    suspect& made = found.emplace_back(from_finding(last, each, suspect_kind::convoy));
    made.lock = lock_held_by(last, *holder);
  }
}

// A thread that waits for a lock that it holds itself: where a green thread has taken it, that is
// said.
void drop_what_is_explained_better(suspects& found) {
  std::set<std::string> explained;
  for (const suspect& each : found)
    if (each.kind == suspect_kind::lock_across_suspension && each.lock)
      explained.insert(each.lock->address);
  std::erase_if(found, [&explained](const suspect& each) {
    return each.kind == suspect_kind::deadlock && each.threads.size() == 1 && each.lock &&
           explained.contains(each.lock->address);
  });
}

}  // namespace

void find_findings(const series& compared, suspects& found) {
  const report& last = compared.last();
  for (const finding& each : last.findings) {
    const auto kind =
        std::ranges::find(taken_over, each.kind, &std::pair<std::string_view, suspect_kind>::first);
    if (kind == taken_over.end()) continue;
    suspect& made = found.emplace_back(from_finding(last, each, kind->second));
    say_since(compared, each, made);
  }
  drop_what_is_explained_better(found);
  find_convoys(compared, found);
}

}  // namespace gmr_command::explanations
