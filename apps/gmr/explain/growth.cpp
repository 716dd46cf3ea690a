#include <algorithm>
#include <map>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::green_thread_group;
using reports::report;
using reports::series;

constexpr double fewest_more = 5;
constexpr double least_share = 0.1;

// More from report to report, and in all so much that chance does not explain it.
bool grows(const std::vector<double>& counts) {
  return counts.size() > 1 && std::ranges::is_sorted(counts) &&
         counts.back() - counts.front() >= std::max(fewest_more, least_share * counts.front());
}

// How many green threads each report has in that place.
std::vector<double> counts_of(const series& compared, const green_thread_group& group) {
  std::vector<double> counts;
  for (const report& each : compared.all()) {
    double count = 0;
    for (const green_thread_group& other : each.groups)
      if (same_group(other, group)) count += static_cast<double>(other.count);
    counts.push_back(count);
  }
  return counts;
}

// And how many that began with the same function, wherever they are now: in a busy service they
// move between places, and are as many as ever.
std::vector<double> counts_of_kin(const series& compared, const green_thread_group& group) {
  const auto root = [](const green_thread_group& of) {
    const std::vector<reports::frame> own = reports::own_frames(of.frames);
    return own.empty() ? std::string{} : own.back().function;
  };
  std::vector<double> counts;
  for (const report& each : compared.all()) {
    double count = 0;
    for (const green_thread_group& other : each.groups)
      if (root(other) == root(group)) count += static_cast<double>(other.count);
    counts.push_back(count);
  }
  return counts;
}

// Those of the first report are still there, in a busy service others would be: the oldest is, and
// so are most of those that the report names.
bool stay(const series& compared, const green_thread_group& group) {
  constexpr double clocks_differ = 0.5;
  const green_thread_group* const then = reports::same_group_in(compared.first(), group);
  if (then == nullptr || !group.oldest_seconds) return has_waited(compared, group);
  const auto left = std::ranges::count_if(then->ids, [&group](std::uint64_t id) {
    return std::ranges::find(group.ids, id) != group.ids.end();
  });
  return *group.oldest_seconds >
             then->oldest_seconds.value_or(0) + compared.seconds() - clocks_differ &&
         static_cast<std::size_t>(left) * 2 >= std::min(then->ids.size(), group.ids.size());
}

suspect group_suspect(const green_thread_group& group) {
  suspect made;
  made.kind = suspect_kind::growing_group;
  if (const reports::frame* const at = reports::innermost_own(group.frames)) made.at = *at;
  if (!group.ids.empty()) made.green_thread = group.ids.front();
  made.since_seconds = group.oldest_seconds;
  for (const reports::operation& each : group.operations) {
    if (each.peer.empty()) continue;
    made.descriptor = each.fd;
    made.peer = each.peer;
    break;
  }
  return made;
}

std::string waits_text(const green_thread_group& group) {
  return group.waits_for ? ", waiting for " + wait_text(*group.waits_for) : "";
}

void find_growing_groups(const series& compared, suspects& found) {
  for (const green_thread_group& group : compared.last().groups) {
    const std::vector<double> counts = counts_of(compared, group);
    if (!grows(counts) || !grows(counts_of_kin(compared, group)) || !stay(compared, group))
      continue;
    suspect& made = found.emplace_back(group_suspect(group));
    made.text = "More and more green threads are in " +
                place_text(reports::innermost_own(group.frames)) + waits_text(group) +
                ", and the old ones stay.";
    made.evidence.push_back("there were " + std::to_string(static_cast<long>(counts.front())) +
                            ", and " + reports::seconds_text(compared.seconds()) + " later " +
                            std::to_string(static_cast<long>(counts.back())));
    if (group.oldest_seconds)
      made.evidence.push_back("the oldest has been there for " +
                              reports::seconds_text(*group.oldest_seconds));
  }
}

// The same of a service in callback style, whose operations have no stacks.
void find_growing_operations(const series& compared, suspects& found) {
  const auto count_in = [](const report& in, const reports::operation_group& like) {
    double count = 0;
    for (const reports::operation_group& each : in.operations)
      if (each.kind == like.kind && !each.ready) count += static_cast<double>(each.count);
    return count;
  };
  for (const reports::operation_group& group : compared.last().operations) {
    if (group.ready || group.kind == "accept") continue;
    std::vector<double> counts;
    for (const report& each : compared.all())
      counts.push_back(count_in(each, group));
    const bool old_ones = !group.oldest_seconds || *group.oldest_seconds > compared.seconds();
    if (!grows(counts) || !old_ones || counts.front() == 0) continue;
    suspect& made = found.emplace_back();
    made.kind = suspect_kind::growing_group;
    made.since_seconds = group.oldest_seconds;
    if (!group.some.empty()) {
      made.descriptor = group.some.front().fd;
      made.peer = group.some.front().peer;
    }
    made.text = "More and more operations are begun and do not end: " + group.kind + '.';
    made.evidence.push_back("there were " + std::to_string(static_cast<long>(counts.front())) +
                            ", and " + reports::seconds_text(compared.seconds()) + " later " +
                            std::to_string(static_cast<long>(counts.back())));
  }
}

// With one report, what the service has seen over several of its own.
void take_over_growth(const series& compared, suspects& found) {
  const report& last = compared.last();
  for (const reports::finding& each : last.findings) {
    if (each.kind != "growing_group" || each.green_threads.empty()) continue;
    const green_thread_group* const group = group_of(last, each.green_threads.front());
    if (group == nullptr) continue;
    suspect& made = found.emplace_back(group_suspect(*group));
    made.text = each.text + '.';
  }
}

// "tcp 127.0.0.1:57102 - 127.0.0.1:5432" is "tcp 127.0.0.1:57102" and "tcp 127.0.0.1:5432": what
// several sockets have in common is one side or the other.
std::vector<std::string> sides_of(const std::string& what) {
  const std::size_t middle = what.find(" - ");
  if (middle == std::string::npos) return {what};
  const std::string family = what.substr(0, what.find(' ') + 1);
  return {what.substr(0, middle), family + what.substr(middle + 3)};
}

// What most of the newest descriptors have in common; empty where they have nothing.
std::string newest_text(const report& in) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& what : in.process.newest_descriptors)
    for (const std::string& side : sides_of(what))
      ++counts[side];
  const auto most =
      std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  const std::size_t all = in.process.newest_descriptors.size();
  if (most == counts.end() || most->second * 2 <= all) return {};
  return most->first + ", " + std::to_string(most->second) + " of the newest " +
         std::to_string(all);
}

void say_which_kinds(const series& compared, suspect& made) {
  const auto& then = compared.first().process.descriptor_kinds;
  for (const auto& [kind, count] : compared.last().process.descriptor_kinds) {
    const auto before = then.find(kind);
    const double earlier = before == then.end() ? 0 : before->second;
    if (count - earlier < fewest_more) continue;
    made.evidence.push_back("of kind " + kind + " there were " +
                            std::to_string(static_cast<long>(earlier)) + ", and later " +
                            std::to_string(static_cast<long>(count)));
  }
}

// Descriptors without those that more sessions explain: each has a green thread, operation or
// thread of its own.
double unexplained_descriptors(const report& in) {
  double sessions = static_cast<double>(in.green_threads + in.threads.size());
  for (const reports::operation_group& each : in.operations)
    sessions += static_cast<double>(each.count);
  return in.process.descriptors.value_or(0) - sessions;
}

bool descriptors_leak(const series& compared) {
  std::vector<double> counts;
  std::vector<double> unexplained;
  for (const report& each : compared.all()) {
    if (!each.process.descriptors) return false;
    counts.push_back(*each.process.descriptors);
    unexplained.push_back(unexplained_descriptors(each));
  }
  return grows(counts) && unexplained.back() - unexplained.front() >=
                              std::max(fewest_more, least_share * counts.front());
}

void find_descriptors(const series& compared, suspects& found) {
  std::vector<double> counts;
  for (const report& each : compared.all())
    if (each.process.descriptors) counts.push_back(*each.process.descriptors);
  if (counts.empty()) return;
  constexpr double used_up_share = 0.9;
  const std::optional<double> limit = compared.last().process.descriptor_limit;
  const bool used_up = limit && counts.back() > used_up_share * *limit;
  if (!used_up && !descriptors_leak(compared)) return;
  suspect made;
  made.kind = suspect_kind::descriptor_leak;
  made.leaked = descriptors{.count = counts.back(),
                            .limit = limit,
                            .growth = counts.back() - counts.front(),
                            .newest = newest_text(compared.last())};
  if (!compared.last().process.newest_descriptors.empty())
    made.peer = compared.last().process.newest_descriptors.front();
  made.text = grows(counts) ? "More and more descriptors are open, and none is closed."
                            : "Nearly all descriptors that the process may have are in use.";
  made.evidence.push_back("there were " + std::to_string(static_cast<long>(counts.front())) +
                          ", and " + reports::seconds_text(compared.seconds()) + " later " +
                          std::to_string(static_cast<long>(counts.back())) +
                          (limit ? ", of " + std::to_string(static_cast<long>(*limit)) : ""));
  if (!made.leaked->newest.empty())
    made.evidence.push_back("most of the newest are " + made.leaked->newest);
  say_which_kinds(compared, made);
  // Where green threads pile up, too, they may be the ones that keep them open.
  for (const suspect& each : found)
    if (each.kind == suspect_kind::growing_group && !made.at) made.at = each.at;
  found.push_back(std::move(made));
}

}  // namespace

void find_growth(const series& compared, suspects& found) {
  if (compared.compares()) {
    find_growing_groups(compared, found);
    find_growing_operations(compared, found);
  } else {
    take_over_growth(compared, found);
  }
  find_descriptors(compared, found);
}

}  // namespace gmr_command::explanations
