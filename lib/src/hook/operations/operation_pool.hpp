// Where the records of operations are, and which threads run the handlers of which context.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gmr/detail/hook/operation_record.hpp"

namespace gmr::trace {

// Records that were ever in use, from 0 on; they stay readable for the life of the process. Safe to
// call from any thread; takes no lock.
[[nodiscard]] std::size_t operation_record_count() noexcept;
[[nodiscard]] const operation_record& operation_record_at(std::size_t index) noexcept;

// Operations that there was no memory to record.
[[nodiscard]] std::uint64_t unrecorded_operations() noexcept;

// A thread that has run handlers; `tid` 0: a free place.
struct serving_thread {
  std::atomic<pid_t> tid{0};
  std::atomic<const void*> context{nullptr};  // of the handler it ran last, or runs
};
inline constexpr std::size_t most_serving_threads = 4096;
[[nodiscard]] const serving_thread& serving_thread_at(std::size_t index) noexcept;
// One past the last place that was ever taken.
[[nodiscard]] std::size_t serving_thread_count() noexcept;

}  // namespace gmr::trace
