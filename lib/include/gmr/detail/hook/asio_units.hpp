// Makes the linker refuse a program of units with and without gmr::trace_ops: Asio's operations are
// larger with it, and the linker keeps one copy of each of Asio's functions.
//
// A unit refers to one of the two symbols below. Each is defined together with a third, common one:
// the former in the library, taken from it when somebody refers to it; the latter in the objects of
// gmr::trace_ops. Both in one program define that third symbol twice. Where Asio is compiled
// separately, the unit that has its code defines a fourth, which the others refer to.
//
// Other settings that change Asio's types have to be those that the library was built with: a unit
// refers to a symbol for each, which is there when they are, and whose name says what to do.
#pragma once

#include "gmr/detail/language.hpp"

#include "gmr/detail/hook/asio_settings.hpp"
#include "gmr/detail/hook/boost_support.hpp"

namespace gmr::trace {

// Each unit has its own: of inline variables the linker keeps the first unit's and what it refers
// to.
[[gnu::used]] static const char* const asio_threads_of_this_unit = &GMR_ASIO_THREADS;
[[gnu::used]] static const char* const asio_waits_of_this_unit = &GMR_ASIO_WAITS;

extern const char unit_without_trace_ops;
extern const char unit_with_trace_ops;
extern const char asio_source_with_trace_ops;

#if defined(BOOST_ASIO_CUSTOM_HANDLER_TRACKING)
[[gnu::used]] inline const char* const kind_of_this_unit_tracked = &unit_with_trace_ops;
#if defined(BOOST_ASIO_SEPARATE_COMPILATION) || defined(BOOST_ASIO_DYN_LINK)
[[gnu::used]] inline const char* const refers_to_asio_source = &asio_source_with_trace_ops;
#endif
#else
[[gnu::used]] inline const char* const kind_of_this_unit = &unit_without_trace_ops;
#endif

}  // namespace gmr::trace
