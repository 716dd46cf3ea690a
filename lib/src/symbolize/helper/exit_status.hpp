// What the exit status of the helper program says.
#pragma once

namespace gmr::symbolize::helper_exit {

inline constexpr int wrong_order = 64;
inline constexpr int nobody_listens = 69;
inline constexpr int exception = 70;
inline constexpr int no_memory = 71;
inline constexpr int file_changed = 72;

}  // namespace gmr::symbolize::helper_exit
