// Chains of calls that know their own names and lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parked_thread.hpp"

namespace gmr::test {

// A frame as a debugger should show it. `function` is the shortened name.
struct truth {
  std::string function;
  std::uint32_t line = 0;
  bool inlined = false;
};

// The file whose frames `truths` describe.
[[nodiscard]] std::string truths_file();

// Parks; leaves in `truths` the frames above park(), innermost first.
void run_truths(parked_thread& self, std::vector<truth>& truths);

}  // namespace gmr::test
