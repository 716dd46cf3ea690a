#include <algorithm>
#include <set>
#include <string_view>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::green_thread_group;
using reports::operation;
using reports::series;

// "read" of "websocket read" and of "read".
bool is_kind(std::string_view kind, std::string_view last_word) {
  return kind == last_word ||
         (kind.ends_with(last_word) && kind[kind.size() - last_word.size() - 1] == ' ');
}

bool needs_the_peer_now(std::string_view kind) {
  return is_kind(kind, "write") || is_kind(kind, "send") || is_kind(kind, "connect") ||
         is_kind(kind, "handshake") || is_kind(kind, "shutdown") || is_kind(kind, "resolve");
}

// "tcp 127.0.0.1:8888 - 127.0.0.1:51442": the first of them.
std::string own_port(const std::string& peer) {
  const std::size_t end = peer.find(" - ");
  if (end == std::string::npos) return {};
  const std::size_t colon = peer.rfind(':', end);
  return colon == std::string::npos ? std::string{} : peer.substr(colon + 1, end - colon - 1);
}

// Of sockets that accept connections, by what all waits for them say.
std::set<std::string> listening_ports(const reports::report& in) {
  std::set<std::string> ports;
  const auto add = [&ports](const std::string& peer) {
    const std::size_t end = peer.find(" listening");
    const std::size_t colon = end == std::string::npos ? end : peer.rfind(':', end);
    if (colon != std::string::npos) ports.insert(peer.substr(colon + 1, end - colon - 1));
  };
  for (const green_thread_group& group : in.groups) {
    if (group.waits_for) add(group.waits_for->peer);
    for (const operation& each : group.operations)
      add(each.peer);
  }
  for (const reports::operation_group& group : in.operations)
    for (const auto& each : group.some)
      add(each.peer);
  for (const reports::thread& each : in.threads)
    if (each.waits_for) add(each.waits_for->peer);
  return ports;
}

class peer_rule final {
 public:
  peer_rule(const series& compared, suspects& found)
      : compared_(compared),
        found_(found),
        listening_(listening_ports(compared.last())),
        is_quiet_(is_quiet(compared)) {}

  void look_at(const green_thread_group& group) {
    if (!has_waited(compared_, group) || group.long_running || !group.waits_for) return;
    const std::string& kind = group.waits_for->kind;
    const operation* const waits = operation_since_first(group);
    const std::string peer = waits != nullptr ? waits->peer : group.waits_for->peer;
    if (!needs_the_peer_now(kind) && !(is_kind(kind, "read") && is_owed_an_answer(group, peer)))
      return;
    suspect made;
    made.kind = suspect_kind::slow_peer;
    made.green_thread =
        waits != nullptr ? std::optional{waits->green_thread} : waiting_since(compared_, group);
    if (const reports::frame* const at = reports::innermost_own(group.frames)) made.at = *at;
    made.descriptor = waits != nullptr ? waits->fd : group.waits_for->fd;
    made.peer = peer;
    made.since_seconds = group.oldest_seconds;
    describe(group, made);
    found_.push_back(std::move(made));
  }

 private:
  // One that the first report has, too, of the same green thread. Of timers beside it there may be
  // several.
  [[nodiscard]] const operation* operation_since_first(const green_thread_group& group) const {
    const green_thread_group* const then = same_group_in(compared_.first(), group);
    for (const operation& each : group.operations) {
      if (each.kind == "timer" || each.ready || each.peer.empty()) continue;
      const bool all_wait = group.newest_seconds.value_or(0) > compared_.seconds();
      if (all_wait) return &each;
      if (then == nullptr) continue;
      const auto same = std::ranges::find_if(then->operations, [&](const operation& other) {
        return other.green_thread == each.green_thread && other.peer == each.peer;
      });
      if (same != then->operations.end()) return &each;
    }
    return nullptr;
  }

  // Connections from a port that nobody listens on were made by this process: it waits for an
  // answer. Others may have a client that wants nothing at the moment.
  [[nodiscard]] bool asked_the_peer(const std::string& peer) const {
    const std::string port = own_port(peer);
    return !listening_.empty() && !port.empty() && !listening_.contains(port);
  }

  // A subscription may be silent for long. Where others in the same place get what they wait for,
  // or nothing else goes on in the whole service, the silence is the trouble.
  [[nodiscard]] bool is_owed_an_answer(const green_thread_group& group,
                                       const std::string& peer) const {
    if (!asked_the_peer(peer)) return false;
    return is_quiet_ || std::ranges::any_of(compared_.last().groups, [&](const auto& other) {
             return other.newest_seconds.value_or(compared_.seconds()) < compared_.seconds() / 2 &&
                    reports::same_place(other.frames, group.frames);
           });
  }

  void describe(const green_thread_group& group, suspect& made) const {
    const std::string kind = group.waits_for->kind;
    made.text = "The other side of a connection does not go on: green thread " +
                (made.green_thread ? std::to_string(*made.green_thread) : std::string{"?"}) +
                " waits for " + kind + (made.peer.empty() ? "" : " (" + made.peer + ')') + " in " +
                place_text(made.at ? &*made.at : nullptr) + '.';
    made.evidence.push_back("it has waited for " + reports::seconds_text(*group.oldest_seconds) +
                            ", and so since before the first report");
    if (group.count > 1)
      made.evidence.push_back(std::to_string(group.count) + " green threads are in the same place");
  }

  const series& compared_;
  suspects& found_;
  std::set<std::string> listening_;
  bool is_quiet_;
};

// Of a service in callback style.
void look_at(const series& compared, const reports::operation_group& group, suspects& found) {
  if (!needs_the_peer_now(group.kind) || group.ready || !group.oldest_seconds ||
      *group.oldest_seconds < compared.seconds() || group.some.empty())
    return;
  suspect& made = found.emplace_back();
  made.kind = suspect_kind::slow_peer;
  made.descriptor = group.some.front().fd;
  made.peer = group.some.front().peer;
  made.since_seconds = group.oldest_seconds;
  made.text = "The other side of a connection does not go on: " + group.kind + " on descriptor " +
              std::to_string(made.descriptor.value_or(-1)) + " (" + made.peer + ") is under way.";
  made.evidence.push_back("it was begun " + reports::seconds_text(*group.oldest_seconds) +
                          " ago, before the first report");
}

}  // namespace

void find_slow_peers(const series& compared, suspects& found) {
  if (!compared.compares()) return;
  peer_rule rule{compared, found};
  for (const green_thread_group& group : compared.last().groups)
    rule.look_at(group);
  for (const reports::operation_group& group : compared.last().operations)
    look_at(compared, group, found);
}

}  // namespace gmr_command::explanations
