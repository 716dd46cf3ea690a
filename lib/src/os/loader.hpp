// What only functions of the dynamic loader tell. They wait for its lock, which a stuck thread may
// hold for ever: these are called while the service starts or uses its fibers, on threads of its
// own, and never while a report is made. What is loaded is read without them: see modules.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gmr::os {

// Bytes of static thread-local storage below the thread pointer: glibc puts it, like the
// descriptor, at the high end of a thread's stack. The same for all threads, and asked for once:
// later calls take no lock.
[[nodiscard]] std::size_t static_tls_size();

// How many bytes of a loaded file can be read from `address` on, in the segment that has it; 0 when
// none has. Takes the loader's lock at each call. The kernel is not asked: a program that has shut
// itself off from it may die of a system call that it does not make otherwise.
[[nodiscard]] std::size_t loaded_bytes_from(const void* address) noexcept;

// Looks for ELF notes of this owner and type in everything that is loaded, in the loader's order.
// Puts where the contents of at least `bytes` bytes are into `found`, as many as fit, and returns
// how many that is. Takes the loader's lock; allocates nothing.
[[nodiscard]] std::size_t find_notes(std::string_view owner, std::uint32_t type, std::size_t bytes,
                                     std::span<const void*> found) noexcept;

// From now on the loaded file that has `address` is never unloaded. Takes the loader's lock.
void keep_loaded(const void* address) noexcept;

}  // namespace gmr::os
