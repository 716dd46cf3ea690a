// Rules for unwinding, found without allocating: for the raw report, which is written when the
// allocator may be what the program is stuck in. libdw allocates; and all that is needed of a
// format with many parts is .eh_frame as compilers write it for calls. A test compares with libdw.
#pragma once

#include <cstdint>

#include "unwind/row.hpp"

namespace gmr::unwind {

// The row that covers the instruction at `address`, by the tables that begin at `frame_table` (an
// .eh_frame_hdr in memory). It is `missing`, `simple`, `outermost` or `unsupported`; of a signal
// frame it is `unsupported` with `signal` set. The return address may be in the link register:
// then return_offset is row::same_value. Reads memory without ever faulting. Async-signal-safe.
[[nodiscard]] row find_bare_row(std::uintptr_t frame_table, std::uintptr_t address) noexcept;

}  // namespace gmr::unwind
