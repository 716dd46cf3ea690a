// The table of waits.
#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "outline/relations.hpp"
#include "text/hex.hpp"

namespace gmr::outlines {
namespace {

// The number behind the last colon; 0 where there is none.
std::uint32_t port_of(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return 0;
  const std::string_view digits = address.substr(colon + 1);
  std::uint32_t port = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return read.ec == std::errc{} && read.ptr == digits.data() + digits.size() ? port : 0;
}

// "tcp 10.0.0.1:80 - 10.0.0.7:51442" as "tcp 10.0.0.1:80 - 10.0.0.7": of the two ports the higher
// one was chosen for this connection, and would make a row of each.
std::string without_chosen_port(std::string_view peer) {
  constexpr std::string_view between = " - ";
  const std::size_t middle = peer.find(between);
  if (middle == std::string_view::npos) return std::string{peer};
  std::string_view own = peer.substr(0, middle);
  std::string_view other = peer.substr(middle + between.size());
  const std::uint32_t own_port = port_of(own);
  const std::uint32_t other_port = port_of(other);
  if (own_port == 0 || other_port == 0) return std::string{peer};
  std::string_view& chosen = own_port > other_port ? own : other;
  chosen = chosen.substr(0, chosen.rfind(':'));
  return std::string{own}.append(between).append(other);
}

std::string peer_of(const wait_info& wait) {
  std::string peer = without_chosen_port(wait.peer);
  if (wait.address) peer.append(peer.empty() ? "" : " ").append(texts::hex(*wait.address));
  if (wait.owner) peer += " held by thread " + std::to_string(*wait.owner);
  return peer;
}

class wait_table final {
 public:
  wait_row& at(std::string_view operation, std::string peer) {
    const auto [place, is_new] =
        places_.try_emplace({std::string{operation}, std::move(peer)}, rows_.size());
    if (is_new) {
      wait_row& made = rows_.emplace_back();
      made.operation = place->first.first;
      made.peer = place->first.second;
    }
    return rows_[place->second];
  }

  static void longest(wait_row& row, const std::optional<double>& seconds) {
    if (seconds) row.longest_seconds = std::max(row.longest_seconds.value_or(0), *seconds);
  }

  void add(const green_thread_group& group) {
    if (!group.waits_for && group.operations.empty()) return;
    std::uint64_t known = 0;
    const operation_info* before = nullptr;
    for (const operation_info& each : group.operations) {
      if (before == nullptr || before->green_thread != each.green_thread) ++known;
      before = &each;
      wait_row& row = at(each.kind, without_chosen_port(each.peer));
      ++row.green_threads;
      longest(row, group.oldest_seconds);
    }
    if (known >= group.count) return;
    const bool same = known == 0 && group.waits_for;
    wait_row& row = at(group.waits_for ? group.waits_for->word() : group.operations.front().kind,
                       same ? peer_of(*group.waits_for) : std::string{});
    row.green_threads += group.count - known;
    longest(row, group.oldest_seconds);
  }

  void add(const green_thread_info& each) {
    if (each.operations.empty() && each.waits_for) {
      wait_row& row = at(each.waits_for->word(), peer_of(*each.waits_for));
      ++row.green_threads;
      longest(row, each.seconds);
    }
    for (const operation_info& operation : each.operations) {
      wait_row& row = at(operation.kind, without_chosen_port(operation.peer));
      ++row.green_threads;
      longest(row, each.seconds);
    }
  }

  void add(const operation_group& group) {
    for (const unowned_operation_info& each : group.operations) {
      wait_row& row = at(group.kind, without_chosen_port(each.peer));
      ++row.operations;
      longest(row, each.since_seconds);
    }
    if (group.operations.size() < group.count)
      at(group.kind, {}).operations += group.count - group.operations.size();
  }

  [[nodiscard]] std::vector<wait_row> take() {
    const auto total = [](const wait_row& row) {
      return row.threads + row.green_threads + row.operations;
    };
    std::ranges::stable_sort(rows_, std::ranges::greater{}, total);
    return std::move(rows_);
  }

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> places_;
  std::vector<wait_row> rows_;
};

}  // namespace

std::vector<wait_row> table_of_waits(const report& complete) {
  wait_table all;
  for (const thread_info& each : complete.threads)
    if (each.waits_for) ++all.at(each.waits_for->word(), peer_of(*each.waits_for)).threads;
  for (const green_thread_group& each : complete.green_threads.groups)
    all.add(each);
  for (const green_thread_info& each : complete.green_threads.listed)
    all.add(each);
  for (const operation_group& each : complete.operations)
    all.add(each);
  return all.take();
}

}  // namespace gmr::outlines
