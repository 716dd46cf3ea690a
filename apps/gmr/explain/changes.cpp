#include <algorithm>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::green_thread_group;
using reports::report;
using reports::series;
using reports::thread;
using reports::thread_role;

place place_of(const thread& of) {
  place made{.thread = of.id, .name = of.name, .waits_for = of.waits_for};
  if (const reports::frame* const at = reports::innermost_own(of.frames)) made.at = *at;
  return made;
}

// Where only some of the group have waited for so long, it is one at least.
place place_of(const series& compared, const green_thread_group& of) {
  const bool all = of.newest_seconds.value_or(0) > compared.seconds();
  place made{.green_thread = waiting_since(compared, of),
             .count = has_waited(compared, of) && !all ? 1 : of.count,
             .waits_for = of.waits_for};
  if (!of.names.empty() && made.count == of.count) made.name = of.names.front();
  if (const reports::frame* const at = reports::innermost_own(of.frames)) made.at = *at;
  return made;
}

void add_threads(const series& compared, explanation& to) {
  for (const thread& each : compared.last().threads) {
    const thread_role role = reports::role_of(each);
    if (role == thread_role::reporter || role == thread_role::idle_loop) continue;
    if (compared.stood_still(each)) {
      to.stuck.push_back(place_of(each));
    } else if (compared.before(each.id) != nullptr) {
      to.moved.push_back(place_of(each));
    }
  }
}

void add_groups(const series& compared, explanation& to) {
  for (const green_thread_group& each : compared.last().groups) {
    if (each.long_running) continue;
    const reports::green_thread_group* const then = same_group_in(compared.first(), each);
    if (then != nullptr && has_waited(compared, each)) {
      to.stuck.push_back(place_of(compared, each));
    } else {
      to.moved.push_back(place_of(compared, each));
    }
  }
}

// What goes up and down in every busy service is left out.
void add_growing(explanation& to, std::string what, double from, double now, bool bytes = false) {
  constexpr double share = 0.1;
  const double least = bytes ? 1 << 20U : 5;
  if (now - from >= std::max(least, share * from))
    to.growing.push_back({std::move(what), from, now, bytes});
}

void add_growth(const series& compared, explanation& to) {
  const report& first = compared.first();
  const report& last = compared.last();
  add_growing(to, "green threads", static_cast<double>(first.green_threads),
              static_cast<double>(last.green_threads));
  add_growing(to, "threads", static_cast<double>(first.threads.size()),
              static_cast<double>(last.threads.size()));
  add_growing(to, "descriptors", first.process.descriptors.value_or(0),
              last.process.descriptors.value_or(0));
  add_growing(to, "resident memory", first.process.resident_bytes.value_or(0),
              last.process.resident_bytes.value_or(0), true);
  for (const green_thread_group& each : last.groups) {
    const green_thread_group* const then = same_group_in(first, each);
    if (then == nullptr || !has_waited(compared, each)) continue;
    add_growing(to, "green threads in " + place_text(reports::innermost_own(each.frames)),
                static_cast<double>(then->count), static_cast<double>(each.count));
  }
}

void add_cpu(const series& compared, explanation& to) {
  constexpr double least_percent = 1;
  constexpr double percent = 100;
  for (const thread& each : compared.last().threads) {
    const double seconds = compared.cpu_between(each);
    const double share = compared.seconds() > 0 ? percent * seconds / compared.seconds() : 0;
    if (share < least_percent || reports::role_of(each) == thread_role::reporter) continue;
    to.cpu.push_back({each.id, each.name, seconds, share});
  }
  std::ranges::stable_sort(to.cpu, std::ranges::greater{}, &usage::seconds);
}

}  // namespace

void compare(const series& compared, explanation& to) {
  add_threads(compared, to);
  add_groups(compared, to);
  add_growth(compared, to);
  add_cpu(compared, to);
}

}  // namespace gmr_command::explanations
