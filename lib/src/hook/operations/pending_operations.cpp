#include "hook/operations/pending_operations.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <string_view>
#include <tuple>

#include "hook/coroutine/literals.hpp"
#include "hook/operations/operation_pool.hpp"

namespace gmr::trace {

// A consistent copy of one record.
struct pending_operations::found {
  const void* owner = nullptr;
  std::uint64_t owner_state = 0;
  const void* context = nullptr;
  std::uint64_t when = 0;
  const char* object = nullptr;
  const char* name = nullptr;
  int descriptor = -1;
  std::uint32_t uses = 0;
  operation_cause cause{};
  std::uint64_t begun = 0;        // 0: it is not known
  std::uint64_t ready_since = 0;  // 0: it is not
  std::string_view kind;
  short events = 0;  // what poll has to find for it to be complete; 0: it can't be told
};

namespace {

struct tracked_kind {
  std::string_view object;  // begins with
  std::string_view name;    // begins with
  std::string_view kind;
  short events = 0;  // see pending_operations::found
};

// The names that coroutine_operation.cpp gives too.
constexpr tracked_kind tracked_kinds[] = {
    {"socket", "async_receive", "read", POLLIN},
    {"socket", "async_send", "write", POLLOUT},
    {"socket", "async_accept", "accept", POLLIN},
    {"socket", "async_connect", "connect", POLLOUT},
    {"socket", "async_wait", "descriptor"},
    {"descriptor", "async_read", "read", POLLIN},
    {"descriptor", "async_write", "write", POLLOUT},
    {"descriptor", "async_wait", "descriptor"},
    {"deadline_timer", "", "timer"},
    {"signal_set", "", "signal"},
    {"resolver", "", "resolve"},
    {"channel", "async_send", "channel send"},
    {"channel", "async_receive", "channel receive"},
    {"", "dispatch", "dispatch"},
    {"", "post", "post"},
    {"", "defer", "defer"},
    {"", "", "execute"},
};

const tracked_kind& kind_of(std::string_view object, std::string_view name) noexcept {
  return *std::ranges::find_if(tracked_kinds, [&](const tracked_kind& each) {
    return object.starts_with(each.object) && name.starts_with(each.name);
  });
}

// False when there is no operation, or another by now.
template <typename Found>
bool read(const operation_record& record, Found& into) noexcept {
  const std::uint32_t sequence = record.sequence.load(std::memory_order_acquire);
  if (sequence % 2 == 0) return false;
  into.owner = record.owner.load(std::memory_order_acquire);
  into.owner_state = record.owner_state.load(std::memory_order_acquire);
  into.context = record.context.load(std::memory_order_acquire);
  into.when = record.when.load(std::memory_order_acquire);
  into.object = record.object.load(std::memory_order_acquire);
  into.name = record.name.load(std::memory_order_acquire);
  into.descriptor = record.descriptor.load(std::memory_order_acquire);
  into.uses = record.uses.load(std::memory_order_acquire);
  into.cause = record.cause.load(std::memory_order_acquire);
  return record.sequence.load(std::memory_order_relaxed) == sequence;
}

bool is_counted(int descriptor) noexcept {
  return descriptor >= 0 && static_cast<std::size_t>(descriptor) < counted_descriptors;
}

bool was_closed(int descriptor, std::uint32_t uses) noexcept {
  return is_counted(descriptor) &&
         descriptor_uses[descriptor].load(std::memory_order_acquire) != uses;
}

}  // namespace

// Of a timer only its expiry is known, 0 for never.
void pending_operations::note_times(found& each, std::uint64_t now) noexcept {
  if (each.cause == operation_cause::timer) {
    if (each.when <= now) each.ready_since = each.when;
  } else if (operation_time::is_complete(each.when)) {
    each.ready_since = each.when;
  } else {
    each.begun = each.when;
  }
}

pending_operations::pending_operations(std::uint64_t now) {
  std::vector<found> all = read_records(now);
  if (all.empty()) return;
  ask_kernel(all, now);
  count(all);
  index(all);
}

std::vector<pending_operations::found> pending_operations::read_records(std::uint64_t now) {
  std::vector<found> all;
  literal_reader literals;
  const std::size_t count = operation_record_count();
  for (std::size_t i = 0; i < count; ++i) {
    found each;
    if (!read(operation_record_at(i), each)) continue;
    const tracked_kind& kind = kind_of(literals.text_at(each.object), literals.text_at(each.name));
    each.kind = kind.kind;
    each.events = kind.events;
    note_times(each, now);
    if (was_closed(each.descriptor, each.uses)) {
      each.descriptor = -1;  // aborted, and the number may be another's
      if (each.ready_since == 0) each.ready_since = now;
    }
    all.push_back(each);
  }
  return all;
}

// A loop that is stuck has not seen what is there.
void pending_operations::ask_kernel(std::vector<found>& all, std::uint64_t now) {
  constexpr std::size_t batch = 512;
  std::array<pollfd, batch> asked;
  std::array<found*, batch> whose;
  std::size_t used = 0;
  const auto flush = [&] {
    if (used != 0 && ::poll(asked.data(), used, 0) > 0)
      for (std::size_t i = 0; i < used; ++i) {
        found& each = *whose[i];
        const bool ready = (asked[i].revents & (asked[i].events | POLLERR | POLLHUP)) != 0;
        if (ready && !was_closed(each.descriptor, each.uses)) each.ready_since = now;
      }
    used = 0;
  };
  for (found& each : all) {
    if (each.cause != operation_cause::descriptor || each.ready_since != 0) continue;
    if (each.events == 0 || !is_counted(each.descriptor)) continue;
    asked[used] = {each.descriptor, each.events, 0};
    whose[used++] = &each;
    if (used == batch) flush();
  }
  flush();
}

void pending_operations::count(const std::vector<found>& all) {
  std::map<const void*, context_load> loads;
  for (const found& each : all) {
    context_load& load = loads[each.context];
    if (each.ready_since == 0) {
      ++load.pending;
      continue;
    }
    ++load.queued;
    load.oldest = load.oldest == 0 ? each.ready_since : std::min(load.oldest, each.ready_since);
  }
  for (std::size_t i = 0; i < serving_thread_count(); ++i) {
    const serving_thread& thread = serving_thread_at(i);
    const pid_t tid = thread.tid.load(std::memory_order_acquire);
    const auto serves = loads.find(thread.context.load(std::memory_order_relaxed));
    if (tid != 0 && serves != loads.end()) serves->second.threads.push_back(tid);
  }
  for (auto& [context, load] : loads) {
    load.context = context;
    std::ranges::sort(load.threads);
    contexts_.push_back(std::move(load));
  }
}

std::size_t pending_operations::home_of(const void* record) const noexcept {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
  const std::uint64_t hash = reinterpret_cast<std::uintptr_t>(record) * golden;
  return hash >> 32 & (table_.size() - 1);
}

void pending_operations::keep(const found& each) {
  const bool timer = each.cause == operation_cause::timer;
  const bool counted = is_counted(each.descriptor);
  operations_.push_back({each.kind, each.ready_since != 0, each.descriptor, timer ? each.when : 0,
                         counted ? &descriptor_uses[each.descriptor] : nullptr, each.uses});
  details_.push_back({each.context, each.begun, each.cause == operation_cause::turn});
}

void pending_operations::index(const std::vector<found>& all) {
  std::vector<const found*> owned_ones;
  for (const found& each : all)
    if (each.owner != nullptr) owned_ones.push_back(&each);
  const auto key = [](const found* each) {
    const bool limits = each->cause == operation_cause::timer;
    return std::tuple{each->owner, each->owner_state, limits, each->ready_since == 0};
  };
  std::ranges::sort(owned_ones, {}, key);
  operations_.reserve(all.size());
  details_.reserve(all.size());
  table_.resize(std::bit_ceil(2 * owned_ones.size() + 1));
  owned* last = nullptr;
  for (const found* each : owned_ones) {
    keep(*each);
    if (last == nullptr || last->record != each->owner || last->state != each->owner_state) {
      std::size_t at = home_of(each->owner);
      while (table_[at].record != nullptr)
        at = (at + 1) & (table_.size() - 1);
      last = &table_[at];
      *last = {each->owner, each->owner_state, static_cast<std::uint32_t>(operations_.size() - 1),
               0, false};
    }
    ++last->count;
  }
  owned_count_ = operations_.size();
  for (const found& each : all)
    if (each.owner == nullptr) keep(each);
}

void pending_operations::add_unowned(std::vector<unowned_operation>& to, std::size_t at) const {
  if (!details_[at].is_turn)
    to.push_back({details_[at].context, operations_[at], details_[at].begun});
}

std::vector<unowned_operation> pending_operations::unowned(bool some_unlisted) const {
  std::vector<unowned_operation> result;
  for (const owned& each : table_) {
    if (some_unlisted || each.record == nullptr || each.is_waited_for) continue;
    for (std::size_t at = each.first; at < each.first + each.count; ++at)
      add_unowned(result, at);
  }
  for (std::size_t at = owned_count_; at < operations_.size(); ++at)
    add_unowned(result, at);
  return result;
}

std::span<const waiting_operation> pending_operations::of(
    const green_thread_view& view) const noexcept {
  if (view.record == nullptr || table_.empty()) return {};
  for (std::size_t at = home_of(view.record); table_[at].record != nullptr;
       at = (at + 1) & (table_.size() - 1)) {
    const owned& each = table_[at];
    if (each.record != view.record || each.state != view.record_state) continue;
    each.is_waited_for = true;
    return std::span{operations_}.subspan(each.first, each.count);
  }
  return {};
}

}  // namespace gmr::trace
