// The handler of the capture signal and what it may touch.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "capture/capture_slot.hpp"

namespace gmr::capture {

inline constexpr std::uint32_t slots_in_chunk = 256;
inline constexpr std::uint32_t most_chunks = 1024;
inline constexpr std::uint32_t chunk_of_raw_report = most_chunks - 1;
inline constexpr std::uint32_t first_raw_slot = chunk_of_raw_report * slots_in_chunk;
inline constexpr std::uint32_t raw_slots = 129;

// Everything the handler reads. Entries are only ever added.
struct slot_table {
  pid_t process = 0;  // this process; signals from elsewhere and in forked children are ignored
  std::size_t tls_size = 0;  // see os::static_tls_size
  capture_slot* chunks[most_chunks] = {};
};
extern slot_table handler_table;

// What a signal carries: which slot, and the generation of its ticket.
[[nodiscard]] constexpr std::uint64_t make_payload(std::uint32_t slot,
                                                   std::uint32_t generation) noexcept {
  return std::uint64_t{slot} << 32 | generation;
}

// Async-signal-safe: no locks, no allocation, errno preserved; never faults.
void capture_handler(int signal, siginfo_t* info, void* context) noexcept;

}  // namespace gmr::capture
