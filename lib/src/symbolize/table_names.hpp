// Names from the symbol tables of a module, read piece by piece into a few KiB: nothing is mapped
// that others could cut off, and no library is asked that takes memory as it likes.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "os/modules.hpp"

namespace gmr::symbolize {

// One for each address (as in the file), mangled as they are there; empty where nothing is known.
// From the module's own file when that is the one that was loaded, otherwise from what the loader
// has of it in memory. What was found by the deadline.
[[nodiscard]] std::vector<std::string> names_in_tables(
    const os::module& in, std::span<const std::uintptr_t> addresses,
    std::chrono::steady_clock::time_point deadline);

// The same from memory only.
[[nodiscard]] std::vector<std::string> names_in_memory(
    const os::module& in, std::span<const std::uintptr_t> addresses,
    std::chrono::steady_clock::time_point deadline);

}  // namespace gmr::symbolize
