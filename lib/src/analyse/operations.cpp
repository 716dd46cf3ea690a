#include "analyse/operations.hpp"

#include <algorithm>
#include <string>

#include "analyse/descriptor.hpp"
#include "analyse/finding_text.hpp"
#include "analyse/green_thread_groups.hpp"

namespace gmr::analyse {
namespace {

double seconds_until(std::uint64_t then, std::uint64_t now) noexcept {
  return then >= now ? seconds_between(now, then) : -seconds_between(then, now);
}

std::string duration(double seconds) {
  std::string text = std::to_string(seconds);
  text.resize(text.find('.') + 2);
  return text + " s";
}

}  // namespace

operation_info describe(const waiting_operation& operation, std::uint64_t green_thread,
                        std::uint64_t now) {
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
  std::string peer = describe_descriptor(operation.descriptor);
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
  wait.kind = kind;
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

std::vector<finding> find_delayed_loops(std::span<const event_loop_info> loops) {
  constexpr double long_delay = 1;
  std::vector<finding> found;
  for (const event_loop_info& loop : loops) {
    if (loop.oldest_seconds.value_or(0) < long_delay || loop.threads.empty()) continue;
    finding& delayed = found.emplace_back();
    delayed.kind = "event_loop_delayed";
    delayed.text = "Event loop " + hexadecimal(loop.address) +
                   " is late: " + std::to_string(loop.queued) +
                   (loop.queued == 1 ? " handler waits" : " handlers wait") +
                   " for a turn, the first for " + duration(*loop.oldest_seconds);
    delayed.threads = loop.threads;
  }
  return found;
}

}  // namespace gmr::analyse
