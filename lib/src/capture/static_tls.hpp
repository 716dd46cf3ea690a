// How much of a thread's memory lies between its stack and its descriptor.
#pragma once

#include <cstddef>

namespace gmr::capture {

// Bytes of static thread-local storage below the thread pointer: glibc puts it, like the
// descriptor, at the high end of a thread's stack. The same for all threads. Takes the loader's
// lock.
[[nodiscard]] std::size_t static_tls_size();

}  // namespace gmr::capture
