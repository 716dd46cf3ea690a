#include <algorithm>
#include <cmath>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::event_loop;
using reports::report;
using reports::series;
using reports::thread;
using reports::thread_role;

constexpr double nearly_all = 0.9;

// Of the time that it could have run in, what the thread has used.
double share_of(const series& compared, const thread& of) {
  const thread* const then = compared.before(of.id);
  if (then == nullptr) return 0;
  const double had_none = std::max(of.waiting_seconds - then->waiting_seconds, 0.0);
  const double could_run = std::max(compared.seconds() - had_none, 0.001);
  return compared.cpu_between(of) / could_run;
}

bool is_busy(const series& compared, const thread& of) {
  constexpr double least_share_of_all = 0.03;
  return compared.cpu_between(of) > least_share_of_all * compared.seconds() &&
         share_of(compared, of) > nearly_all;
}

// Whether each report has found the thread in a call of the same function: that frame, the
// innermost one that all of them have, counted from the outer end.
const reports::frame* common_frame(const series& compared, const thread& of) {
  const std::vector<reports::frame> now = reports::own_frames(of.frames);
  std::size_t common = now.size();
  for (const report& each : compared.all()) {
    const thread* const then = find(each, of.id);
    if (then == nullptr) return nullptr;
    const std::vector<reports::frame> frames = reports::own_frames(then->frames);
    const auto same = std::mismatch(now.rbegin(), now.rend(), frames.rbegin(), frames.rend(),
                                    [](const reports::frame& one, const reports::frame& other) {
                                      return one.function == other.function;
                                    });
    common = std::min(common, static_cast<std::size_t>(same.first - now.rbegin()));
  }
  if (common == 0) return nullptr;
  const std::string& function = now[now.size() - common].function;
  const auto found = std::ranges::find(of.frames, function, &reports::frame::function);
  return found == of.frames.end() ? nullptr : &*found;
}

// Whether another thread that was started in the same way had nothing to do all the time: what it
// would have been given, if there had been one handler after the other.
bool has_idle_colleague(const series& compared, const thread& of) {
  const auto called_from = [](const thread& each) {
    const reports::frame* const outermost = reports::caller_of_loop(each);
    return outermost == nullptr ? std::string{} : outermost->function;
  };
  return std::ranges::any_of(compared.last().threads, [&](const thread& other) {
    if (other.id == of.id || called_from(other) != called_from(of) ||
        is_of_thread_pool(other) != is_of_thread_pool(of))
      return false;
    return std::ranges::all_of(compared.all(), [&](const report& each) {
      const thread* const then = find(each, other.id);
      return then != nullptr && role_of(*then) == thread_role::idle_loop;
    });
  });
}

// Without gmr::trace_ops there are no event loops in reports. Where no green thread has moved, the
// loops have not gone on; where there are none, a thread that gets no further never asks the kernel
// for anything.
bool nothing_moved(const series& compared, const thread& of) {
  constexpr double clocks_differ = 0.3;
  constexpr double next_to_no = 0.1;
  bool any = false;
  for (const reports::green_thread_group& each : compared.last().groups) {
    if (each.state == "running" || !each.newest_seconds) continue;
    any = true;
    if (*each.newest_seconds < compared.seconds() - clocks_differ) return false;
  }
  if (any) return true;
  const thread* const then = compared.before(of.id);
  const double in_kernel = of.system_seconds - (then == nullptr ? 0 : then->system_seconds);
  return in_kernel < next_to_no * compared.cpu_between(of);
}

// Whether the event loop has waited for this one handler all the time: its first queued handler
// has, or there is none, so that the thread has not been busy with one after the other.
bool loop_stands_still(const series& compared, const thread& of) {
  constexpr double clocks_differ = 0.3;
  const event_loop* const now = loop_run_by(compared.last(), of.id);
  if (now == nullptr)
    return compared.last().event_loops.empty() &&
           (nothing_moved(compared, of) || has_idle_colleague(compared, of));
  if (now->threads.size() == 1 && now->oldest_seconds &&
      *now->oldest_seconds > compared.seconds() - clocks_differ)
    return true;
  if (now->threads.size() == 1 && !nothing_moved(compared, of)) return false;
  return std::ranges::all_of(compared.all(), [&](const report& each) {
    const event_loop* const then = loop_run_by(each, of.id);
    return then == nullptr || then->queued == 0;
  });
}

// A handler that has not come back, and not one after the other.
bool is_in_one_handler(const series& compared, const thread& of) {
  const bool in_handler_always = std::ranges::all_of(compared.all(), [&](const report& each) {
    const thread* const then = find(each, of.id);
    return then != nullptr && role_of(*then) == thread_role::in_handler && then->runs == of.runs;
  });
  if (!in_handler_always) return false;
  constexpr double clocks_differ = 0.2;
  if (of.runs_seconds) return *of.runs_seconds > compared.seconds() - clocks_differ;
  return loop_stands_still(compared, of);
}

bool is_spinning(const series& compared, const thread& of) {
  if (!is_busy(compared, of) || common_frame(compared, of) == nullptr) return false;
  const thread_role role = reports::role_of(of);
  if (role == thread_role::own) return reports::innermost_own(of.frames)->own;
  return role == thread_role::in_handler && is_in_one_handler(compared, of);
}

suspect spinning(const series& compared, const thread& of) {
  suspect made = suspect_of(suspect_kind::spinning_thread, of);
  const reports::frame* const at = common_frame(compared, of);
  made.at = *at;
  made.since_seconds = compared.seconds();
  made.text =
      name_of(of) + " burns processor time without getting anywhere, in " + place_text(at) + '.';
  made.text.front() = 'T';
  const double used = compared.cpu_between(of);
  made.evidence.push_back("it has used " + reports::seconds_text(used) + " of processor time in " +
                          reports::seconds_text(compared.seconds()) +
                          ", which is all that it could get");
  made.evidence.push_back("each of " + std::to_string(compared.all().size()) +
                          " reports has found it in " + at->function);
  if (of.runs)
    made.evidence.push_back("it runs green thread " + std::to_string(*of.runs) +
                            (of.runs_seconds ? ", which was suspended last " +
                                                   reports::seconds_text(*of.runs_seconds) + " ago"
                                             : ""));
  return made;
}

// The thread that wanted to run most.
const thread* hungriest(const series& compared) {
  const thread* found = nullptr;
  double most = 0;
  for (const thread& each : compared.last().threads) {
    const thread* const then = compared.before(each.id);
    if (reports::role_of(each) == thread_role::reporter) continue;
    const double waited = each.waiting_seconds - (then == nullptr ? 0 : then->waiting_seconds);
    const double wanted = waited + compared.cpu_between(each);
    if (wanted <= most) continue;
    most = wanted;
    found = &each;
  }
  return found;
}

void find_throttled(const series& compared, suspects& found) {
  const reports::process& now = compared.last().process;
  const reports::process& then = compared.first().process;
  if (!compared.compares() || !now.throttled_seconds || !then.throttled_seconds) return;
  constexpr double much_of_the_time = 0.25;
  const double throttled = *now.throttled_seconds - *then.throttled_seconds;
  const double periods = now.periods.value_or(0) - then.periods.value_or(0);
  const double of_those = now.throttled_periods.value_or(0) - then.throttled_periods.value_or(0);
  const bool often = periods > 0 && of_those > periods / 2;
  if (throttled <= 0 || (throttled < much_of_the_time * compared.seconds() && !often)) return;
  // Over this time it says more than the service's own finding.
  std::erase_if(found, [](const suspect& each) { return each.kind == suspect_kind::throttled; });
  const thread* const hungry = hungriest(compared);
  suspect made = hungry == nullptr ? suspect{} : suspect_of(suspect_kind::throttled, *hungry);
  made.kind = suspect_kind::throttled;
  made.since_seconds = compared.seconds();
  made.text =
      "The control group is throttled: it has used up the processor time that it may have in " +
      std::to_string(std::lround(of_those)) + " of " +
      reports::plural(periods, "period", "periods") + " within " +
      reports::seconds_text(compared.seconds()) + '.';
  made.evidence.push_back("its tasks were held up for " + reports::seconds_text(throttled) +
                          " meanwhile, all processors together");
  if (hungry != nullptr)
    made.evidence.push_back(name_of(*hungry) + " wanted to run most: it has used " +
                            reports::seconds_text(compared.cpu_between(*hungry)) +
                            " of processor time, in " +
                            place_text(reports::innermost_own(hungry->frames)));
  found.push_back(std::move(made));
}

// With one report, only what the service itself has measured.
void take_over_finding(const series& compared, suspects& found) {
  const report& last = compared.last();
  constexpr double long_enough = 1;
  for (const reports::finding& each : last.findings) {
    if (each.kind != "spinning_thread" || each.threads.empty()) continue;
    const thread* const of = find(last, each.threads.front());
    if (of == nullptr) continue;
    const event_loop* const loop = loop_run_by(last, of->id);
    const bool alone = reports::role_of(*of) == thread_role::own;
    const bool holds_up = loop != nullptr && loop->oldest_seconds.value_or(0) > long_enough;
    if (!alone && !holds_up && of->runs_seconds.value_or(0) < long_enough) continue;
    suspect& made = found.emplace_back(suspect_of(suspect_kind::spinning_thread, *of));
    made.text = each.text + '.';
    made.since_seconds = of->runs_seconds;
  }
}

}  // namespace

void find_processor_trouble(const series& compared, suspects& found) {
  find_throttled(compared, found);
  if (!compared.compares()) return take_over_finding(compared, found);
  for (const thread& each : compared.last().threads)
    if (!explains(found, each.id) && is_spinning(compared, each))
      found.push_back(spinning(compared, each));
}

}  // namespace gmr_command::explanations
