// Reads this process's own memory without ever faulting, for addresses that may be gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace gmr::unwind {

// All or nothing. False when any byte cannot be read. Safe to call from any thread.
[[nodiscard]] bool read_memory(std::uintptr_t address, std::span<std::byte> out) noexcept;

template <class T>
[[nodiscard]] bool read_object(std::uintptr_t address, T& out) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  return read_memory(address, std::as_writable_bytes(std::span{&out, 1}));
}

// A C string of at most `limit` bytes; cut there, or where memory ends.
[[nodiscard]] std::string read_string(std::uintptr_t address, std::size_t limit = 4096);

}  // namespace gmr::unwind
