#include "analyse/green_thread_groups.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "analyse/operations.hpp"
#include "analyse/stack_use.hpp"
#include "text/masking.hpp"

namespace gmr::analyse {
namespace {

// Stacks of fibers that are looked at for their high-water mark, in each group.
constexpr std::uint64_t stacks_measured = 16;

template <typename Element, typename From>
void add_some(std::vector<Element>& to, const From& element, std::size_t most) {
  if (to.size() < most && std::find(to.begin(), to.end(), element) == to.end())
    to.emplace_back(element);
}

// Names and labels come from anywhere: from what a client has asked for, too.
void add_text(std::vector<std::string>& to, std::string_view text, std::size_t most) {
  if (to.size() == most) return;
  if (!texts::may_hold_url(text)) return add_some(to, text, most);
  add_some(to, texts::mask_urls(text), most);
}

// Keys are few, as a green thread has few; texts may be as many as green threads.
void add_label(green_thread_group& group, std::string_view key, std::string_view text) {
  constexpr std::size_t most_keys = 20;
  const std::string shown = texts::may_hold_url(key) ? texts::mask_urls(key) : std::string{key};
  auto found = group.labels.find(shown);
  if (found == group.labels.end()) {
    if (group.labels.size() == most_keys) return;
    found = group.labels.emplace(shown, std::vector<std::string>{}).first;
  }
  add_text(found->second, text, names_shown);
}

void keep_larger(std::optional<std::uint64_t>& largest, std::optional<std::uint64_t> other) {
  if (other) largest = std::max(largest.value_or(0), *other);
}

// Ids are the first that were listed; which one is the oldest is worth a place among them.
void show_oldest(green_thread_group& group, green_thread_parent oldest) {
  group.oldest_id = oldest.id;
  if (oldest.id == 0 || std::ranges::find(group.ids, oldest.id) != group.ids.end()) return;
  const std::uint64_t last = group.ids.back();
  std::erase_if(group.operations, [last](const auto& each) { return each.green_thread == last; });
  std::erase_if(group.parent_of, [last](const auto& each) { return each.id == last; });
  group.ids.back() = oldest.id;
  if (oldest.parent != 0) group.parent_of.push_back(oldest);
}

// Old for how many they are. What is expected to wait long is not suspicious for that.
double suspicion(const green_thread_group& group) noexcept {
  if (group.long_running) return -1;
  return group.oldest_seconds.value_or(0) / static_cast<double>(group.count);
}

// What sorts first has the smaller value.
double rank(const green_thread_group& group, group_order order) noexcept {
  switch (order) {
    case group_order::oldest:
      return -group.oldest_seconds.value_or(0);
    case group_order::largest:
      return -static_cast<double>(group.count);
    case group_order::suspicious:
      break;
  }
  return -suspicion(group);
}

}  // namespace

void sort_groups(std::vector<green_thread_group>& groups, group_order order) {
  for (green_thread_group& each : groups) {
    std::sort(each.ids.begin(), each.ids.end());
    std::sort(each.parents.begin(), each.parents.end());
    std::ranges::sort(each.parent_of, {}, &green_thread_parent::id);
    std::ranges::stable_sort(each.operations, {}, &operation_info::green_thread);
  }
  std::sort(groups.begin(), groups.end(), [&](const auto& left, const auto& right) {
    return std::tuple{rank(left, order), left.count, left.ids} <
           std::tuple{rank(right, order), right.count, right.ids};
  });
}

std::string spawned_in(const green_thread_view& view) {
  const logical_frame& at = view.spawned;
  if (at.function == nullptr) return {};
  const char* const outermost = view.frames.empty() ? nullptr : view.frames.back().function;
  if (outermost != nullptr && std::string_view{outermost} == at.function) return {};
  std::string out = at.function;
  if (at.file != nullptr) out.append(" at ").append(at.file).append(":" + std::to_string(at.line));
  return out;
}

double seconds_between(std::uint64_t then, std::uint64_t now) noexcept {
  constexpr double per_nanosecond = 1e-9;
  return now <= then ? 0 : static_cast<double>(now - then) * per_nanosecond;
}

green_thread_groups::group& green_thread_groups::find(const green_thread_view& view,
                                                      std::uint32_t stack) {
  if (stack >= first_.size()) first_.resize(std::size_t{stack} + 1, 0);
  for (std::uint32_t at = first_[stack]; at != 0; at = groups_[at - 1].next) {
    group& known = groups_[at - 1];
    if (known.state == view.state && known.kind == view.kind &&
        known.long_running == view.long_running && known.waits_for == view.waits_for)
      return known;
  }
  group& made = groups_.emplace_back();
  made.stack = stack;
  made.kind = view.kind;
  made.state = view.state;
  made.long_running = view.long_running;
  made.waits_for = view.waits_for;
  made.next = first_[stack];
  first_[stack] = static_cast<std::uint32_t>(groups_.size());
  return made;
}

void green_thread_groups::note_details(green_thread_group& into, const green_thread_view& view) {
  if (!view.name.empty()) add_text(into.names, view.name, names_shown);
  for (const auto& [key, text] : view.labels)
    add_label(into, key, text);
  if (view.parent != 0) {
    ++into.with_parent;
    add_some(into.parents, view.parent, ids_shown);
  }
  if (view.thread != 0) add_some(into.threads, view.thread, ids_shown);
  if (const std::string place = spawned_in(view); !place.empty())
    add_some(into.spawned, place, names_shown);
  const auto bounds = bounds_of(view);
  if (!bounds) return;
  keep_larger(into.stack_bytes, bounds->high - bounds->low);
  if (into.count <= stacks_measured)
    keep_larger(into.high_water_bytes, high_water_bytes(bounds->low, bounds->high));
}

void green_thread_groups::add(const green_thread_view& view, std::uint32_t stack, std::uint64_t now,
                              socket_list& sockets) {
  group& of = find(view, stack);
  ++of.shown.count;
  if (of.shown.ids.size() < ids_shown) {
    of.shown.ids.push_back(view.id);
    if (view.parent != 0) of.shown.parent_of.push_back({view.id, view.parent});
    for (const waiting_operation& each : view.operations)
      of.shown.operations.push_back(describe(each, view.id, now, sockets));
  }
  note_details(of.shown, view);
  note_age(of, {view.id, view.parent}, view.suspended_at, view.suspended_at);
}

void green_thread_groups::note_age(group& into, green_thread_parent who, std::uint64_t oldest,
                                   std::uint64_t newest) {
  if (oldest == 0) return;
  if (into.oldest == 0 || oldest < into.oldest) {
    into.oldest = oldest;
    into.oldest_one = who;
  }
  into.newest = std::max(into.newest, newest);
}

void green_thread_groups::merge(group& into, const group& other) {
  green_thread_group& shown = into.shown;
  shown.count += other.shown.count;
  for (const std::uint64_t id : other.shown.ids)
    add_some(shown.ids, id, ids_shown);
  shown.with_parent += other.shown.with_parent;
  for (const green_thread_parent& each : other.shown.parent_of)
    if (std::ranges::find(shown.ids, each.id) != shown.ids.end()) shown.parent_of.push_back(each);
  for (const operation_info& each : other.shown.operations)
    if (std::ranges::find(shown.ids, each.green_thread) != shown.ids.end())
      shown.operations.push_back(each);
  for (const std::string& name : other.shown.names)
    add_some(shown.names, name, names_shown);
  for (const auto& [key, texts] : other.shown.labels)
    for (const std::string& text : texts)
      add_label(shown, key, text);
  for (const std::uint64_t parent : other.shown.parents)
    add_some(shown.parents, parent, ids_shown);
  for (const pid_t thread : other.shown.threads)
    add_some(shown.threads, thread, ids_shown);
  keep_larger(shown.stack_bytes, other.shown.stack_bytes);
  keep_larger(shown.high_water_bytes, other.shown.high_water_bytes);
  for (const std::string& place : other.shown.spawned)
    add_some(shown.spawned, place, names_shown);
  note_age(into, other.oldest_one, other.oldest, other.newest);
}

std::vector<green_thread_group> green_thread_groups::finish(std::span<const std::uint32_t> stacks,
                                                            std::uint64_t now,
                                                            group_order order) const {
  using key =
      std::tuple<std::uint32_t, green_thread_kind, green_thread_state, bool, std::string_view>;
  std::map<key, group> merged;
  for (const group& each : groups_) {
    const key of{stacks[each.stack], each.kind, each.state, each.long_running, each.waits_for};
    merge(merged[of], each);
  }
  std::vector<green_thread_group> result;
  for (auto& [of, each] : merged) {
    green_thread_group& made = result.emplace_back(std::move(each.shown));
    std::string_view waits_for;
    std::tie(made.stack, made.kind, made.state, made.long_running, waits_for) = of;
    show_oldest(made, each.oldest_one);
    if (each.oldest != 0) made.oldest_seconds = seconds_between(each.oldest, now);
    if (each.newest != 0) made.newest_seconds = seconds_between(each.newest, now);
    const bool single = made.count == 1;
    made.waits_for = wait_of(waits_for, single ? std::span<const operation_info>{made.operations}
                                               : std::span<const operation_info>{});
  }
  sort_groups(result, order);
  return result;
}

}  // namespace gmr::analyse
