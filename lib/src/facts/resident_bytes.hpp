// The little the reporter itself wants to know of the process.
#pragma once

#include <cstdint>
#include <optional>

namespace gmr {

[[nodiscard]] std::uint64_t resident_bytes();  // 0 when unknown
// Nothing when they can't be counted; needs no descriptor where the kernel has counted them.
[[nodiscard]] std::optional<std::uint64_t> count_descriptors();

}  // namespace gmr
