// Operations that no green thread waits for, as text.
#include <algorithm>
#include <string>

#include "text/hex.hpp"
#include "text/printable.hpp"
#include "text/quantities.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t most_shown = 10;

void show_group(page& out, const operation_group& group) {
  out.block(operations_title(group));
  std::string loop = "event loop " + texts::hex(group.event_loop);
  std::vector<std::string> threads;
  threads.reserve(group.threads.size());
  for (const pid_t id : group.threads)
    threads.push_back(std::to_string(id));
  if (!threads.empty()) loop += threads.size() == 1 ? ", run by thread " : ", run by threads ";
  out.line(0, loop + join_some(threads, most_shown, threads.size()));
  std::size_t shown = 0;
  for (const unowned_operation_info& each : group.operations) {
    const std::string line = unowned_text(each);
    if (line.empty()) continue;  // signals, and timers that never expire: there is no more to say
    if (shown == most_shown) break;
    out.line(2, line);
    ++shown;
  }
  const std::uint64_t rest = group.count - std::min<std::uint64_t>(group.count, shown);
  if (shown != 0 && rest != 0) out.line(2, "and " + std::to_string(rest) + " more");
}

}  // namespace

std::string operations_title(const operation_group& group) {
  std::string out = counted(group.count, "operation") + (group.ready ? " ready" : " pending");
  if (const std::string since = ages_text(group.oldest_seconds, group.newest_seconds);
      !since.empty())
    out += " " + since;
  return out + ": " + texts::printable(group.kind);
}

std::string unowned_text(const unowned_operation_info& one) {
  std::string out;
  if (one.fd) out += "descriptor " + std::to_string(*one.fd);
  if (!one.peer.empty()) out += " (" + texts::printable(one.peer) + ")";
  out += queues_text(one.queues);
  if (one.since_seconds) out += ", for " + texts::human_duration(*one.since_seconds);
  if (one.expiry_seconds) out += remaining_text(*one.expiry_seconds);
  return out.starts_with(", ") ? out.substr(2) : out;
}

std::string ages_text(std::optional<double> oldest, std::optional<double> newest) {
  if (!oldest) return {};
  const std::string longest = texts::human_duration(*oldest);
  if (!newest) return "for " + longest;
  const std::string shortest = texts::human_duration(*newest);
  return longest == shortest ? "for " + longest : "for " + shortest + " to " + longest;
}

void show_operations(page& out, const std::vector<operation_group>& groups) {
  std::uint64_t count = 0;
  for (const operation_group& each : groups)
    count += each.count;
  out.line(0, counted(count, "operation") + " that no green thread waits for");
  for (const operation_group& each : groups)
    show_group(out, each);
}

}  // namespace gmr::views
