// Reads this process's own memory without ever faulting, for addresses that may be gone.
//
// The kernel copies, so that memory which is not there is an error and no crash: by
// process_vm_readv, and where a policy such as seccomp refuses that, by /proc/self/mem. This is the
// only place that uses either. What other threads write meanwhile may be torn.
//
// Unless something else is said, functions are async-signal-safe, may change errno, and can be
// called from any thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

namespace gmr::os {

// Copies the memory that `from` names into `to`, part after part, up to the first byte that can't
// be read; returns how many bytes these were. Parts of the same index have the same length. At most
// IOV_MAX (1,024) parts.
[[nodiscard]] std::size_t read_parts(std::span<const iovec> to,
                                     std::span<const iovec> from) noexcept;

// The same for one part.
[[nodiscard]] std::size_t read_bytes(std::uintptr_t address, std::span<std::byte> out) noexcept;

// All or nothing: false when any byte can't be read.
[[nodiscard]] bool read_memory(std::uintptr_t address, std::span<std::byte> out) noexcept;

template <class T>
[[nodiscard]] bool read_object(std::uintptr_t address, T& out) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  return read_memory(address, std::as_writable_bytes(std::span{&out, 1}));
}

// Nothing when not all of it can be read.
template <class T>
[[nodiscard]] std::optional<T> read_memory(std::uint64_t address) noexcept {
  T value{};
  if (!read_object(address, value)) return std::nullopt;
  return value;
}

// A C string of at most `limit` bytes; cut there, or where memory ends. Not async-signal-safe.
[[nodiscard]] std::string read_string(std::uintptr_t address, std::size_t limit = 4096);

// Whether all pages that hold [from, from + size) may be read by this process: a guard page may
// not. Asks the kernel without copying anything, and needs neither of the two ways above.
[[nodiscard]] bool is_readable(std::uintptr_t from, std::size_t size) noexcept;

// Finds out which way works, and keeps a descriptor for /proc/self/mem where that is needed, so
// that signal handlers find one also when none is left. Before each report; one thread at a time.
// Not async-signal-safe.
void prepare_memory() noexcept;

// Why neither way works, with what the system says of both; empty while memory can be read. Not
// async-signal-safe.
[[nodiscard]] std::string why_memory_is_unreadable();

}  // namespace gmr::os
