// Names of two symbols for what changes the types of the standard library, which programs and gmr
// hand to each other: which library it is, and how it is set. The library defines those that it is
// built with (hook/standard_library.cpp), and each unit that includes a public header refers to
// those of its own. Where they differ, the linker misses a symbol whose name says what to do:
// without it, the program would crash.
#pragma once

#include <version>

#if defined(_LIBCPP_VERSION)
#define GMR_STANDARD_LIBRARY gmr_has_to_be_built_with_libcxx
#elif !defined(_GLIBCXX_USE_CXX11_ABI) || _GLIBCXX_USE_CXX11_ABI
#define GMR_STANDARD_LIBRARY gmr_has_to_be_built_with_libstdcxx
#else
#define GMR_STANDARD_LIBRARY gmr_has_to_be_built_with__GLIBCXX_USE_CXX11_ABI_0
#endif
#if defined(_GLIBCXX_DEBUG)
#define GMR_CONTAINERS gmr_has_to_be_built_with__GLIBCXX_DEBUG
#else
#define GMR_CONTAINERS gmr_has_to_be_built_without__GLIBCXX_DEBUG
#endif
extern "C" {
extern const char GMR_STANDARD_LIBRARY;
extern const char GMR_CONTAINERS;
}

namespace gmr::trace {

// Each unit has its own: of inline variables the linker keeps the first unit's and what it refers
// to.
[[gnu::used]] static const char* const standard_library_of_this_unit = &GMR_STANDARD_LIBRARY;
[[gnu::used]] static const char* const containers_of_this_unit = &GMR_CONTAINERS;

}  // namespace gmr::trace
