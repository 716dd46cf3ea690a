#include "analyse/bare_groups.hpp"

#include <algorithm>
#include <string_view>

#include "text/masking.hpp"

namespace gmr::analyse {
namespace {

// Mixes a number into a hash.
std::uint64_t with(std::uint64_t hash, std::uint64_t number) noexcept {
  hash = (hash ^ number) * 0x9e3779b97f4a7c15U;
  return hash ^ hash >> 32U;
}

std::uint64_t hash_of(const trace::bare_green_thread& seen,
                      const unwind::bare_stack& stack) noexcept {
  std::uint64_t hash =
      with(static_cast<std::uint64_t>(seen.kind) + 1, static_cast<std::uint64_t>(seen.state) + 1);
  if (seen.has_stack)
    for (const unwind::raw_frame& frame : stack.all())
      hash = with(hash, frame.pc);
  for (std::size_t i = 0; i < seen.location_count; ++i)
    hash = with(hash, reinterpret_cast<std::uintptr_t>(seen.locations[i]));
  return hash == 0 ? 1 : hash;
}

void begin(bare_group& group, std::uint64_t hash, const trace::bare_green_thread& seen,
           const unwind::bare_stack& stack) noexcept {
  group = {};
  group.hash = hash;
  group.kind = seen.kind;
  group.state = seen.state;
  group.oldest = group.newest = seen.suspended_at;
  // To mask a secret takes memory.
  if (const std::string_view name = seen.texts.name_text(); !texts::may_hold_url(name))
    group.name_size = name.copy(group.name.data(), group.name.size());
  if (seen.has_stack) group.stack = stack;
  group.locations = seen.locations;
  group.location_count = seen.location_count;
  group.has_more_frames = seen.has_more_frames;
}

}  // namespace

void bare_groups::clear() noexcept {
  groups_.give_back();
  table_.give_back();
  count_ = 0;
  green_threads_ = left_out_ = 0;
}

bare_group* bare_groups::find(std::uint64_t hash) noexcept {
  if (groups_.size() == 0 || table_.size() == 0 || order_.size() == 0) return nullptr;
  std::size_t at = hash % places;
  for (; table_[at] != 0; at = (at + 1) % places)
    if (groups_[table_[at] - 1].hash == hash) return &groups_[table_[at] - 1];
  if (count_ == most_groups) return nullptr;
  table_[at] = static_cast<std::uint32_t>(count_ + 1);
  order_[count_] = &groups_[count_];
  return &groups_[count_++];
}

void bare_groups::add(const trace::bare_green_thread& seen,
                      const unwind::bare_stack& stack) noexcept {
  ++green_threads_;
  const std::uint64_t hash = hash_of(seen, stack);
  bare_group* const group = find(hash);
  if (group == nullptr) {
    ++left_out_;
    return;
  }
  if (group->count == 0) begin(*group, hash, seen, stack);
  if (group->count < group->ids.size()) {
    group->ids[group->count] = seen.id;
    group->threads[group->count] = seen.thread;
  }
  ++group->count;
  if (seen.suspended_at == 0) return;
  group->oldest =
      group->oldest == 0 ? seen.suspended_at : std::min(group->oldest, seen.suspended_at);
  group->newest = std::max(group->newest, seen.suspended_at);
}

void bare_groups::sort() noexcept {
  std::sort(
      order_.get(), order_.get() + count_,
      [](const bare_group* one, const bare_group* other) { return one->count > other->count; });
}

}  // namespace gmr::analyse
