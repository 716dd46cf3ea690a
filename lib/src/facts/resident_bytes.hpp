// The little the reporter itself wants to know of the process.
#pragma once

#include <cstdint>

namespace gmr {

[[nodiscard]] std::uint64_t resident_bytes();  // 0 when unknown

}  // namespace gmr
