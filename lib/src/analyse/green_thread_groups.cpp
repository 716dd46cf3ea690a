#include "analyse/green_thread_groups.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace gmr::analyse {
namespace {

void add_name(std::vector<std::string>& names, std::string_view name) {
  if (name.empty() || names.size() == names_shown) return;
  if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
}

void widen(std::uint64_t& oldest, std::uint64_t& newest, std::uint64_t from, std::uint64_t to) {
  if (from == 0) return;
  oldest = oldest == 0 ? from : std::min(oldest, from);
  newest = std::max(newest, to);
}

// Old for how many they are.
double suspicion(const green_thread_group& group) noexcept {
  return group.oldest_seconds.value_or(0) / static_cast<double>(group.count);
}

}  // namespace

double seconds_between(std::uint64_t then, std::uint64_t now) noexcept {
  constexpr double per_nanosecond = 1e-9;
  return now <= then ? 0 : static_cast<double>(now - then) * per_nanosecond;
}

green_thread_groups::group& green_thread_groups::find(const green_thread_view& view,
                                                      std::uint32_t stack) {
  if (stack >= first_.size()) first_.resize(std::size_t{stack} + 1, 0);
  for (std::uint32_t at = first_[stack]; at != 0; at = groups_[at - 1].next) {
    group& known = groups_[at - 1];
    if (known.state == view.state && known.kind == view.kind && known.waits_for == view.waits_for)
      return known;
  }
  group& made = groups_.emplace_back();
  made.stack = stack;
  made.kind = view.kind;
  made.state = view.state;
  made.waits_for = view.waits_for;
  made.next = first_[stack];
  first_[stack] = static_cast<std::uint32_t>(groups_.size());
  return made;
}

void green_thread_groups::add(const green_thread_view& view, std::uint32_t stack) {
  group& of = find(view, stack);
  ++of.count;
  if (of.ids.size() < ids_shown) of.ids.push_back(view.id);
  add_name(of.names, view.name);
  widen(of.oldest, of.newest, view.suspended_at, view.suspended_at);
}

void green_thread_groups::merge(group& into, const group& other) {
  into.count += other.count;
  for (std::size_t i = 0; i < other.ids.size() && into.ids.size() < ids_shown; ++i)
    into.ids.push_back(other.ids[i]);
  for (const std::string& name : other.names)
    add_name(into.names, name);
  widen(into.oldest, into.newest, other.oldest, other.newest);
}

std::vector<green_thread_group> green_thread_groups::finish(std::span<const std::uint32_t> stacks,
                                                            std::uint64_t now) const {
  using key = std::tuple<std::uint32_t, green_thread_kind, green_thread_state, std::string_view>;
  std::map<key, group> merged;
  for (const group& each : groups_) {
    const std::uint32_t stack = stacks[each.stack];
    merge(merged[{stack, each.kind, each.state, each.waits_for}], each);
  }
  std::vector<green_thread_group> result;
  for (auto& [of, each] : merged) {
    green_thread_group& made = result.emplace_back();
    made.count = each.count;
    std::tie(made.stack, made.kind, made.state, std::ignore) = of;
    made.ids = std::move(each.ids);
    made.names = std::move(each.names);
    if (each.oldest != 0) made.oldest_seconds = seconds_between(each.oldest, now);
    if (each.newest != 0) made.newest_seconds = seconds_between(each.newest, now);
    if (!std::get<3>(of).empty()) made.waits_for.emplace().kind = std::get<3>(of);
  }
  std::sort(result.begin(), result.end(), [](const auto& left, const auto& right) {
    return std::tuple{-suspicion(left), left.count, left.ids} <
           std::tuple{-suspicion(right), right.count, right.ids};
  });
  return result;
}

}  // namespace gmr::analyse
