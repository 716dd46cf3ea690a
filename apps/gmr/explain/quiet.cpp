#include <algorithm>
#include <array>
#include <string_view>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::green_thread_group;
using reports::series;
using reports::thread;
using reports::thread_role;

bool ends_with_word(std::string_view kind, std::string_view last_word) {
  return kind.ends_with(last_word);
}

// Another part of the process has to do something, and not the world.
bool waits_inside(const thread& of) {
  constexpr std::array<std::string_view, 4> kinds{"condition", "semaphore", "futex", "rwlock"};
  return of.waits_for && std::ranges::find(kinds, of.waits_for->kind) != kinds.end();
}

// A timer that never expires is how coroutines wait to be told.
bool never_expires(const green_thread_group& group) {
  return std::ranges::any_of(group.operations, [](const reports::operation& each) {
    return each.kind == "timer" && !each.ready && !each.seconds;
  });
}

bool waits_inside(const green_thread_group& group) {
  if (!group.waits_for || group.state != "suspended") return false;
  const std::string& kind = group.waits_for->kind;
  if (kind == "timer") return never_expires(group);
  constexpr std::array<std::string_view, 12> outside{"accept", "read",    "write",      "send",
                                                     "signal", "connect", "resolve",    "handshake",
                                                     "ping",   "close",   "descriptor", "shutdown"};
  return std::ranges::none_of(outside,
                              [&](std::string_view each) { return ends_with_word(kind, each); });
}

// Several threads that wait in one place are workers that have nothing to do.
bool has_company(const series& compared, const thread& of) {
  return std::ranges::count_if(compared.last().threads, [&](const thread& each) {
           return waits_inside(each) && reports::same_place(each.frames, of.frames);
         }) > 1;
}

void look_at_threads(const series& compared, suspects& found) {
  for (const thread& each : compared.last().threads) {
    const thread_role role = reports::role_of(each);
    if (role != thread_role::own || !waits_inside(each) || !compared.stood_still(each) ||
        has_company(compared, each))
      continue;
    suspect& made = found.emplace_back(suspect_of(suspect_kind::lost_wakeup, each));
    made.text = name_of(each) + " waits to be told by another thread (" +
                wait_text(*each.waits_for) + ") in " +
                place_text(reports::innermost_own(each.frames)) + ", and no thread is about to.";
    made.text.front() = 'T';
    made.since_seconds = compared.seconds();
    made.evidence.push_back("it has waited for " + reports::seconds_text(compared.seconds()) +
                            " or more, and has not run meanwhile");
  }
}

void look_at_green_threads(const series& compared, suspects& found) {
  for (const green_thread_group& group : compared.last().groups) {
    if (group.long_running || !waits_inside(group) || !has_waited(compared, group)) continue;
    suspect& made = found.emplace_back();
    made.kind = suspect_kind::lost_wakeup;
    made.green_thread = waiting_since(compared, group);
    if (const reports::frame* const at = reports::innermost_own(group.frames)) made.at = *at;
    made.since_seconds = group.oldest_seconds;
    made.text = "Green thread " + (made.green_thread ? std::to_string(*made.green_thread) : "?") +
                " waits to be told by another (" + wait_text(*group.waits_for) +
                (group.waits_for->kind == "timer" ? " that never expires" : "") + ") in " +
                place_text(made.at ? &*made.at : nullptr) + ", and nobody is about to.";
    made.evidence.push_back("it has waited for " + reports::seconds_text(*group.oldest_seconds));
    if (group.count > 1)
      made.evidence.push_back(std::to_string(group.count) + " green threads are in the same place");
  }
}

// A thread of the service's own that serves one connection, by calls that block.
void look_at_connections(const series& compared, suspects& found) {
  for (const thread& each : compared.last().threads) {
    if (reports::role_of(each) != thread_role::own || !each.waits_for ||
        !compared.stood_still(each))
      continue;
    if (each.waits_for->peer.find(" - ") == std::string::npos) continue;
    suspect& made = found.emplace_back(suspect_of(suspect_kind::slow_peer, each));
    made.text = "The other side of a connection does not go on: " + name_of(each) + " waits for " +
                wait_text(*each.waits_for) + " in " +
                place_text(reports::innermost_own(each.frames)) + '.';
    made.since_seconds = compared.seconds();
  }
}

// Where not even that explains it: clients of whom nothing comes.
void look_at_clients(const series& compared, suspects& found) {
  for (const green_thread_group& group : compared.last().groups) {
    if (group.long_running || !group.waits_for || !has_waited(compared, group)) continue;
    if (!ends_with_word(group.waits_for->kind, "read")) continue;
    suspect& made = found.emplace_back();
    made.kind = suspect_kind::slow_peer;
    made.green_thread = waiting_since(compared, group);
    if (const reports::frame* const at = reports::innermost_own(group.frames)) made.at = *at;
    made.since_seconds = group.oldest_seconds;
    for (const reports::operation& each : group.operations) {
      if (each.green_thread != made.green_thread || each.kind == "timer") continue;
      made.descriptor = each.fd;
      made.peer = each.peer;
    }
    made.text = "Green thread " + (made.green_thread ? std::to_string(*made.green_thread) : "?") +
                " waits for what a client is to send" +
                (made.peer.empty() ? "" : " (" + made.peer + ')') + " in " +
                place_text(made.at ? &*made.at : nullptr) + '.';
    made.evidence.push_back("it has waited for " + reports::seconds_text(*group.oldest_seconds));
  }
}

}  // namespace

void find_lost_wakeups(const series& compared, suspects& found) {
  find_waiting_pools(compared, found);
  look_at_threads(compared, found);
  look_at_connections(compared, found);
  look_at_green_threads(compared, found);
  if (found.empty()) look_at_clients(compared, found);
}

}  // namespace gmr_command::explanations
