#include "analyse/operations.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "analyse/descriptor.hpp"
#include "analyse/finding_text.hpp"
#include "analyse/green_thread_groups.hpp"
#include "text/hex.hpp"
#include "text/quantities.hpp"

namespace gmr::analyse {
namespace {

double seconds_until(std::uint64_t then, std::uint64_t now) noexcept {
  return then >= now ? seconds_between(now, then) : -seconds_between(then, now);
}

std::string duration(double seconds) {
  return texts::fixed(seconds, 1) + " s";
}

}  // namespace

operation_info describe(const waiting_operation& operation, std::uint64_t green_thread,
                        std::uint64_t now, socket_list& sockets) {
  operation_info info;
  info.green_thread = green_thread;
  info.kind = operation.kind;
  info.ready = operation.ready;
  if (operation.expires_at != 0) info.seconds = seconds_until(operation.expires_at, now);
  if (operation.descriptor < 0) return info;
  if (operation.uses == nullptr) {
    info.fd = operation.descriptor;
    return info;
  }
  std::string peer = describe_descriptor(operation.descriptor, sockets);
  if (operation.uses->load(std::memory_order_acquire) != operation.uses_seen) {
    info.ready = true;  // aborted
    return info;
  }
  info.fd = operation.descriptor;
  info.peer = std::move(peer);
  return info;
}

std::optional<wait_info> wait_of(std::string_view kind,
                                 std::span<const operation_info> operations) {
  if (kind.empty()) return std::nullopt;
  wait_info wait;
  wait.name = kind;
  if (operations.empty()) return wait;
  const operation_info& first = operations.front();
  wait.fd = first.fd;
  wait.peer = first.peer;
  wait.seconds = first.seconds;
  return wait;
}

std::vector<event_loop_info> describe_event_loops(std::span<const trace::context_load> contexts,
                                                  std::uint64_t now, pid_t reporter) {
  std::vector<event_loop_info> loops;
  for (const trace::context_load& each : contexts) {
    if (each.threads == std::vector{reporter}) continue;
    event_loop_info& loop = loops.emplace_back();
    loop.address = reinterpret_cast<std::uintptr_t>(each.context);
    loop.queued = each.queued;
    loop.pending = each.pending;
    if (each.queued != 0) loop.oldest_seconds = seconds_between(each.oldest, now);
    loop.threads = each.threads;
  }
  std::ranges::stable_sort(loops, std::ranges::greater{},
                           [](const auto& loop) { return loop.oldest_seconds.value_or(-1); });
  return loops;
}

namespace {

using trace::unowned_operation;

unowned_operation_info to_info(const unowned_operation& one, std::uint64_t now,
                               socket_list& sockets) {
  const operation_info known = describe(one.operation, 0, now, sockets);
  unowned_operation_info shown;
  shown.fd = known.fd;
  shown.peer = known.peer;
  shown.expiry_seconds = known.seconds;
  if (one.begun != 0) shown.since_seconds = seconds_between(one.begun, now);
  return shown;
}

// `alike` is not empty, sorted by when they were begun.
operation_group make_group(std::span<const unowned_operation> alike, const event_loop_info& loop,
                           std::uint64_t now, socket_list& sockets) {
  operation_group group;
  group.count = alike.size();
  group.kind = alike.front().operation.kind;
  group.ready = alike.front().operation.ready;
  group.event_loop = loop.address;
  group.threads = loop.threads;
  if (alike.front().begun != 0) {
    group.oldest_seconds = seconds_between(alike.front().begun, now);
    group.newest_seconds = seconds_between(alike.back().begun, now);
  }
  for (const unowned_operation& each : alike.first(std::min(alike.size(), operations_shown)))
    group.operations.push_back(to_info(each, now, sockets));
  return group;
}

}  // namespace

std::vector<operation_group> group_operations(std::vector<unowned_operation> operations,
                                              std::span<const event_loop_info> loops,
                                              std::uint64_t now, socket_list& sockets) {
  const auto kind = [](const unowned_operation& each) {
    return std::tuple{each.context, each.operation.kind, each.operation.ready, each.begun == 0};
  };
  std::ranges::sort(operations, {}, [&](const unowned_operation& each) {
    return std::tuple{kind(each), each.begun, each.operation.expires_at, each.operation.descriptor};
  });
  std::vector<operation_group> groups;
  for (std::span<const unowned_operation> rest = operations; !rest.empty();) {
    const auto end = std::ranges::find_if(
        rest, [&](const unowned_operation& each) { return kind(each) != kind(rest.front()); });
    const auto alike = rest.first(static_cast<std::size_t>(end - rest.begin()));
    const auto address = reinterpret_cast<std::uintptr_t>(rest.front().context);
    const auto loop = std::ranges::find(loops, address, &event_loop_info::address);
    if (loop != loops.end()) groups.push_back(make_group(alike, *loop, now, sockets));
    rest = rest.subspan(alike.size());
  }
  std::ranges::stable_sort(groups, std::ranges::greater{}, [](const operation_group& each) {
    return each.oldest_seconds.value_or(-1);
  });
  return groups;
}

std::vector<finding> find_delayed_loops(std::span<const event_loop_info> loops) {
  constexpr double long_delay = 1;
  std::vector<finding> found;
  for (const event_loop_info& loop : loops) {
    if (loop.oldest_seconds.value_or(0) < long_delay || loop.threads.empty()) continue;
    finding& delayed = found.emplace_back();
    delayed.kind = finding_kind::event_loop_delayed;
    delayed.text = "Event loop " + texts::hex(loop.address) +
                   " is late: " + std::to_string(loop.queued) +
                   (loop.queued == 1 ? " handler waits" : " handlers wait") +
                   " for a turn, the first for " + duration(*loop.oldest_seconds);
    delayed.threads = loop.threads;
  }
  return found;
}

}  // namespace gmr::analyse
