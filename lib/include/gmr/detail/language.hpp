// The first thing that each public header includes: ends the compilation with one line where the
// language is too old, instead of hundreds.
#pragma once

#if __cplusplus < 202002L
#include "gmr needs C++20: compile with -std=c++20 or later"
#endif
