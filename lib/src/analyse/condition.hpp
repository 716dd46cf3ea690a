// Condition variables of glibc, told from the word that a waiter waits on.
#pragma once

#include <cstdint>
#include <optional>

#include "capture/snapshot.hpp"

namespace gmr::analyse {

// A wait of futex(2).
struct futex_wait {
  std::uint64_t address = 0;  // of the word
  std::uint32_t expected = 0;
  bool is_private = false;
};

// The address of the pthread_cond_t whose waiter waits like that; nothing when the memory around
// the word cannot be one. Where this C library keeps the word is found out at the first call, by a
// wait of the calling thread that is over before it begins.
[[nodiscard]] std::optional<std::uint64_t> find_condition(const futex_wait& wait) noexcept;

// The address of the mutex that the waiter will lock again, from the copy of its stack; nothing
// when there is no copy, or it is not found there.
[[nodiscard]] std::optional<std::uint64_t> find_mutex_of_condition(
    const capture::stack_snapshot& waiter, std::uint64_t condition) noexcept;

}  // namespace gmr::analyse
