#include "reports/series.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "exit_codes.hpp"
#include "reports/stacks.hpp"

namespace gmr_command::reports {
namespace {

using seconds_of_time = std::chrono::duration<double>;

// Start times are computed by subtraction, and so differ by a little from report to report.
bool same_process(const report& one, const report& other) {
  constexpr double tolerance = 2;
  const auto started = [](const report& of) {
    return of.at - std::chrono::duration_cast<std::chrono::system_clock::duration>(
                       seconds_of_time{of.process.uptime_seconds});
  };
  return one.process.pid == other.process.pid && one.host == other.host &&
         std::abs(seconds_of_time{started(one) - started(other)}.count()) < tolerance;
}

bool same_wait(const std::optional<wait>& one, const std::optional<wait>& other) {
  if (!one || !other) return !one && !other;
  return one->kind == other->kind && one->address == other->address && one->owner == other->owner &&
         one->fd == other->fd && one->peer == other->peer;
}

// One report that two files have, or one file twice, would be a process that does nothing.
void drop_copies(std::vector<report>& all) {
  const auto copies = std::ranges::unique(all, [](const report& one, const report& other) {
    return one.at == other.at && one.number == other.number;
  });
  all.erase(copies.begin(), copies.end());
}

std::string process_text(const report& of) {
  return of.source + " is of " + of.package + ", process " + std::to_string(of.process.pid);
}

}  // namespace

series::series(std::vector<report> all) : all_(std::move(all)) {
  if (all_.empty()) throw failure{exit_bad_data, "there is no report"};
  std::ranges::stable_sort(all_, {},
                           [](const report& each) { return std::pair{each.at, each.number}; });
  for (const report& each : all_)
    if (!same_process(each, all_.front()))
      throw failure{exit_bad_data,
                    "the reports are of different processes, which can't be compared: " +
                        process_text(all_.front()) + "; " + process_text(each)};
  drop_copies(all_);
}

double series::seconds() const noexcept {
  return seconds_of_time{last().at - first().at}.count();
}

const thread* series::now(std::int64_t id) const noexcept {
  return find(last(), id);
}

const thread* series::before(std::int64_t id) const noexcept {
  return find(first(), id);
}

double series::cpu_between(const thread& last_seen) const noexcept {
  const thread* const earlier = before(last_seen.id);
  if (earlier == nullptr || !earlier->cpu_seconds || !last_seen.cpu_seconds) return 0;
  return std::max(*last_seen.cpu_seconds - *earlier->cpu_seconds, 0.0);
}

double series::cpu_between() const noexcept {
  double sum = 0;
  for (const thread& each : last().threads)
    if (role_of(each) != thread_role::reporter) sum += cpu_between(each);
  return sum;
}

bool series::stood_still(const thread& last_seen) const {
  constexpr double next_to_no_share = 0.01;
  constexpr double steps = 0.03;  // in which the kernel counts
  constexpr double late = 1;
  if (last_seen.state == "running") return false;
  if (!compares()) return last_seen.waits_for && still_for(last_seen) >= late;
  if (cpu_between(last_seen) > steps + next_to_no_share * seconds()) return false;
  return std::ranges::all_of(all_, [&](const report& each) {
    const thread* const then = find(each, last_seen.id);
    return then != nullptr && same_wait(then->waits_for, last_seen.waits_for) &&
           same_place(then->frames, last_seen.frames);
  });
}

double series::still_for(const thread& last_seen) const {
  const event_loop* const loop = loop_run_by(last(), last_seen.id);
  const double late_for = loop == nullptr ? 0 : loop->oldest_seconds.value_or(0);
  return compares() ? std::max(seconds(), 0.0) : late_for;
}

const event_loop* loop_run_by(const report& in, std::int64_t thread) noexcept {
  const auto found = std::ranges::find_if(in.event_loops, [thread](const event_loop& each) {
    return std::ranges::find(each.threads, thread) != each.threads.end();
  });
  return found == in.event_loops.end() ? nullptr : &*found;
}

const thread* find(const report& in, std::int64_t id) noexcept {
  const auto found = std::ranges::find(in.threads, id, &thread::id);
  return found == in.threads.end() ? nullptr : &*found;
}

const green_thread_group* group_of(const report& in, std::uint64_t id) noexcept {
  const auto found = std::ranges::find_if(in.groups, [id](const green_thread_group& each) {
    return std::ranges::find(each.ids, id) != each.ids.end();
  });
  return found == in.groups.end() ? nullptr : &*found;
}

bool same_group(const green_thread_group& one, const green_thread_group& other) {
  const auto kind = [](const std::optional<wait>& of) { return of ? of->kind : std::string{}; };
  return one.kind == other.kind && one.state == other.state &&
         kind(one.waits_for) == kind(other.waits_for) && same_place(one.frames, other.frames);
}

const green_thread_group* same_group_in(const report& in, const green_thread_group& as) {
  const auto found = std::ranges::find_if(
      in.groups, [&](const green_thread_group& each) { return same_group(each, as); });
  return found == in.groups.end() ? nullptr : &*found;
}

}  // namespace gmr_command::reports
