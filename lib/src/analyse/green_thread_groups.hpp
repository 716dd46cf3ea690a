// Counts green threads that are alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyse/socket_list.hpp"
#include "gmr/model/report.hpp"
#include "gmr/trace/scheduler.hpp"

namespace gmr::analyse {

// Most ids and different names that a group keeps; its count says how many there are.
inline constexpr std::size_t ids_shown = 20;
inline constexpr std::size_t names_shown = 20;

// Groups by stack, kind, state and what is waited for. Not synchronised.
class green_thread_groups final {
 public:
  // `now` is CLOCK_MONOTONIC in ns, here and below.
  void add(const green_thread_view& view, std::uint32_t stack, std::uint64_t now,
           socket_list& sockets);

  // `stacks` gives each stack its final number, the same for those that turned out to be equal.
  [[nodiscard]] std::vector<green_thread_group> finish(std::span<const std::uint32_t> stacks,
                                                       std::uint64_t now, group_order order) const;

 private:
  struct group {
    std::uint32_t stack = 0;
    green_thread_kind kind{};
    green_thread_state state{};
    bool long_running = false;
    std::string waits_for;
    std::uint64_t oldest = 0;  // when suspended; 0 when unknown
    green_thread_parent oldest_one;
    std::uint64_t newest = 0;
    green_thread_group shown;  // count, ids, names and what else needs no conversion
    std::uint32_t next = 0;    // group of the same stack, number + 1
  };

  group& find(const green_thread_view& view, std::uint32_t stack);
  static void note_age(group& into, green_thread_parent who, std::uint64_t oldest,
                       std::uint64_t newest);
  static void merge(group& into, const group& other);
  static void note_details(green_thread_group& into, const green_thread_view& view);

  std::vector<group> groups_;
  std::vector<std::uint32_t> first_;  // by stack: number of its first group + 1
};

// In the order that is asked for, and what each of them lists by id.
void sort_groups(std::vector<green_thread_group>& groups, group_order order);

// Where it was created: "function at file:line"; empty when that is not known, or is the function
// that its frames end with.
[[nodiscard]] std::string spawned_in(const green_thread_view& view);

// Seconds since `then`, both in ns; never negative.
[[nodiscard]] double seconds_between(std::uint64_t then, std::uint64_t now) noexcept;

}  // namespace gmr::analyse
