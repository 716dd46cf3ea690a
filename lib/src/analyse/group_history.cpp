#include "analyse/group_history.hpp"

#include <algorithm>
#include <functional>
#include <string>

#include "analyse/finding_text.hpp"
#include "text/quantities.hpp"

namespace gmr::analyse {
namespace {

constexpr std::size_t most_groups = 4096;
constexpr unsigned reports_needed = 3;
constexpr std::uint64_t least_growth = 10;

const stack& stack_of(const green_thread_group& group, const green_threads_info& all) {
  static const stack none;
  return group.stack < all.stacks.size() ? all.stacks[group.stack] : none;
}

// The same in every report of this process: by what the frames are called, not where they are.
std::size_t identity(const green_thread_group& group, const green_threads_info& all) {
  std::string text{to_string(group.kind)};
  if (group.waits_for) text.append(" ").append(group.waits_for->word());
  for (const frame* each : stack_of(group, all).frames)
    text += '\n' + each->function_full + '\t' + each->file + '\t' + std::to_string(each->line);
  return std::hash<std::string>{}(text);
}

bool is_worth_telling(std::uint64_t from, std::uint64_t to) noexcept {
  return to >= from + std::max(least_growth, from / 10);
}

std::string seconds_text(double seconds) {
  return texts::significant(seconds, 3) + " s";
}

std::string plural(const green_thread_group& group) {
  return std::string{to_string(group.kind)} + "s";
}

std::string wait_of(const green_thread_group& group) {
  return group.waits_for ? ", waiting for " + std::string{group.waits_for->word()} : std::string{};
}

}  // namespace

void group_history::collect(const green_threads_info& green_threads,
                            std::chrono::steady_clock::time_point now) {
  std::vector<const green_thread_group*> largest;
  largest.reserve(green_threads.groups.size());
  for (const green_thread_group& group : green_threads.groups)
    largest.push_back(&group);
  if (largest.size() > most_groups) {
    const auto middle = largest.begin() + most_groups;
    std::nth_element(largest.begin(), middle, largest.end(),
                     [](const auto* a, const auto* b) { return a->count > b->count; });
    largest.erase(middle, largest.end());
  }
  // Where the last report was cut short for want of memory, something of it is left.
  for (auto& [key, group] : groups_) {
    group.sum = 0;
    group.seen = false;
    group.largest = nullptr;
  }
  for (const green_thread_group* group : largest) {
    growth& of = groups_[identity(*group, green_threads)];
    if (of.last == 0) of.since = now;
    of.seen = true;
    of.sum += group->count;
    if (of.largest == nullptr || group->count > of.largest->count) of.largest = group;
  }
  std::erase_if(groups_, [](const auto& each) { return !each.second.seen; });
}

std::vector<finding> group_history::add(const green_threads_info& green_threads,
                                        std::chrono::steady_clock::time_point now) {
  collect(green_threads, now);
  std::vector<finding> found;
  for (auto& [key, group] : groups_) {
    if (group.last != 0 && group.sum > group.last) {
      ++group.reports;
    } else {
      group.first = group.sum;
      group.since = now;
      group.reports = 1;
    }
    // Reports after the first one are those that it grew in.
    if (group.reports > reports_needed && is_worth_telling(group.first, group.sum)) {
      finding& grown = found.emplace_back();
      grown.kind = finding_kind::growing_group;
      grown.text = plural(*group.largest) + place_of(stack_of(*group.largest, green_threads)) +
                   wait_of(*group.largest) + ": from " + std::to_string(group.first) + " to " +
                   std::to_string(group.sum) + " in " +
                   seconds_text(std::chrono::duration<double>(now - group.since).count()) +
                   ", more in each of the last " + std::to_string(group.reports - 1) + " reports";
      grown.green_threads = group.largest->ids;
    }
    group.last = group.sum;
  }
  return found;
}

std::vector<finding> find_long_waits(const green_threads_info& green_threads,
                                     std::chrono::milliseconds limit) {
  std::vector<finding> found;
  if (limit.count() == 0) return found;
  for (const green_thread_group& group : green_threads.groups) {
    if (group.long_running || group.state == green_thread_state::running) continue;
    if (group.oldest_seconds.value_or(0) < std::chrono::duration<double>(limit).count()) continue;
    finding& late = found.emplace_back();
    late.kind = finding_kind::long_wait;
    late.text.append(to_string(group.kind))
        .append(" " + std::to_string(group.oldest_id) + " has waited ")
        .append(seconds_text(*group.oldest_seconds));
    if (group.count > 1)
      late.text += ", the longest of " + std::to_string(group.count) + " " + plural(group) + ",";
    late.text += place_of(stack_of(group, green_threads)) + wait_of(group);
    late.green_threads = {group.oldest_id};
  }
  return found;
}

}  // namespace gmr::analyse
