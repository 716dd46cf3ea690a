// The little the reporter itself wants to know of the process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gmr/model/stack.hpp"

namespace gmr {

[[nodiscard]] std::uint64_t resident_bytes() noexcept;  // 0 when unknown

// Build id of the program itself among its modules; empty when unknown.
[[nodiscard]] std::string executable_build_id(const std::vector<module_info>& modules);

}  // namespace gmr
