// The first thing that each public header includes: ends the compilation with one line where the
// language is too old, instead of hundreds, and the linking with one symbol where the program's
// standard library is not the one that gmr was built with.
#pragma once

#if __cplusplus < 202002L
#include "gmr needs C++20: compile with -std=c++20 or later"
#endif

#include "gmr/detail/standard_library.hpp"
