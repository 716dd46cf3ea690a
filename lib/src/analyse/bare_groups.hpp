// Green threads with the same stack, counted without allocating: for the raw report.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hook/bare_sources.hpp"
#include "os/reserved_memory.hpp"
#include "unwind/bare_walk.hpp"

namespace gmr::analyse {

struct bare_group {
  static constexpr std::size_t most_ids = 8;

  std::uint64_t hash = 0;
  std::uint64_t count = 0;
  green_thread_kind kind{};
  green_thread_state state{};
  std::uint64_t oldest = 0;  // time of the first suspension, CLOCK_MONOTONIC in ns; 0: not known
  std::uint64_t newest = 0;
  std::array<std::uint64_t, most_ids> ids{};
  std::array<pid_t, most_ids> threads{};  // that run them
  std::array<char, longest_name> name{};  // of the first
  std::size_t name_size = 0;
  // One of the two, by kind.
  unwind::bare_stack stack;
  std::array<const void*, trace::bare_green_thread::most_frames> locations{};
  std::size_t location_count = 0;
  bool has_more_frames = false;
};

// Not synchronised.
class bare_groups final {
 public:
  static constexpr std::size_t most_groups = 1024;

  void clear() noexcept;
  // `stack`: of a fiber that is suspended.
  void add(const trace::bare_green_thread& seen, const unwind::bare_stack& stack) noexcept;

  // The largest first, once `sort` was called.
  void sort() noexcept;
  [[nodiscard]] std::span<const bare_group* const> all() const noexcept {
    return {order_.get(), count_};
  }
  [[nodiscard]] std::uint64_t green_threads() const noexcept { return green_threads_; }
  // Green threads for whose stacks there was no room.
  [[nodiscard]] std::uint64_t left_out() const noexcept { return left_out_; }

 private:
  [[nodiscard]] bare_group* find(std::uint64_t hash) noexcept;

  static constexpr std::size_t places = 2 * most_groups;
  os::reserved_memory<bare_group> groups_{most_groups};
  os::reserved_memory<std::uint32_t> table_{places};  // index and one, by hash
  os::reserved_memory<const bare_group*> order_{most_groups};
  std::size_t count_ = 0;
  std::uint64_t green_threads_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace gmr::analyse
