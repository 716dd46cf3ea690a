// What a thread that is blocked in futex(2) waits for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "capture/snapshot.hpp"
#include "gmr/model/threads.hpp"

namespace gmr::analyse {

// Told from the operation and from what glibc keeps around the word: `mutex` (`timed mutex` when
// it gives up by itself), `join` with the thread waited for as the owner, `condition`,
// `semaphore`, `rwlock` with the writer as the owner (readers have no names), else `futex`.
[[nodiscard]] wait_info futex_wait_of(const capture::blocked_syscall& call);

// Whether the memory at `address` looks like a pthread mutex that somebody holds, waits for or, as
// a waiter for a condition variable, will lock again.
[[nodiscard]] bool is_used_mutex(std::uint64_t address) noexcept;

// The tid of the thread that holds the pthread mutex at `address` now; nothing when none does, or
// when it is no such mutex.
[[nodiscard]] std::optional<pid_t> mutex_owner(std::uint64_t address) noexcept;

}  // namespace gmr::analyse
