// What the coroutine source shows, copied for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gmr/trace/scheduler.hpp"

namespace gmr::test {

struct listed_coroutine {
  std::uint64_t id = 0;
  green_thread_state state = green_thread_state::suspended;
  std::uint64_t suspended_at = 0;
  pid_t thread = 0;
  std::string waits_for;
  std::vector<logical_frame> frames;
  std::uint64_t parent = 0;
};

// All coroutines alive.
std::vector<listed_coroutine> list_coroutines();

// The only one; fails the test and gives an empty one when there are more or fewer.
listed_coroutine the_only_coroutine();

// "name:line name:line", innermost first; of each function's name what `function_in` makes of it.
std::string chain(const listed_coroutine& coroutine);

// The plain name of a function in what a compiler's source_location calls it.
std::string function_in(const char* function_name);

}  // namespace gmr::test
