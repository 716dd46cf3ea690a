// How stacks are shown: which frames are folded, and what is said of a stack.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr::outlines {

// One frame, or several that take one line: they belong to libraries and say little.
struct frame_run {
  std::size_t first = 0;  // in the stack
  std::size_t count = 1;
  bool is_folded = false;
  std::vector<std::string_view> libraries;  // of folded ones, different ones in order
};

struct stack_outline {
  const stack* source = nullptr;
  std::vector<frame_run> runs;
  std::string note;  // why it ends early, is empty or was guessed; empty when it is exact
};

// A run of three or more frames that belong to Asio, Boost, the standard library, the C library or
// gmr is folded. The innermost frame is always shown, as it is the call that was made; only where
// it is the switch that every suspended fiber stands in, and frames of the program follow, it is
// folded with the others.
[[nodiscard]] stack_outline arrange_stack(const stack& frames);

// What is to be said of it: see stack_outline::note.
[[nodiscard]] std::string note_of(const stack& frames);

// The directory that all source files of the program share, ending in '/'; empty when there is no
// such directory or only one file.
[[nodiscard]] std::string source_root(const report& complete);

}  // namespace gmr::outlines
