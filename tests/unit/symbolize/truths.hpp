// Chains of calls that know their own names and lines. Built into the test, and by several
// compilers with several settings into libraries that the test loads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gmr::test {

// A frame as a debugger should show it. `function` is the shortened name.
struct truth {
  std::string function;
  std::uint32_t line = 0;
  bool inlined = false;
};

// Returns when the snapshot has been taken.
using park_function = void (*)(void* context);

}  // namespace gmr::test

// `truths` gets the frames above `park`, outermost first. Returns the file they lie in.
extern "C" const char* gmr_run_truths(gmr::test::park_function park, void* context,
                                      std::vector<gmr::test::truth>& truths);
