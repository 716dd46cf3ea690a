// What the variables of a suspended coroutine hold, seen as words.
#pragma once

#include <cstdint>
#include <vector>

namespace gmr::trace {

// Appends every word of the frames of the green thread `id`, whose innermost node the listing gave
// (green_thread_view::innermost). False, and nothing appended, when it is not suspended any more.
// Reads while the program runs; never faults.
bool copy_coroutine_variables(const void* innermost, std::uint64_t id,
                              std::vector<std::uintptr_t>& words);

}  // namespace gmr::trace
