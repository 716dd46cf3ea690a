// Stands in front of Boost's header of the same name: that one first, then our tracing of its
// coroutines. On the include path of targets that link gmr::trace, and of no others.
#pragma once
#pragma GCC system_header  // include_next is an extension

// By this units that find Boost's header first do not compile: see lib/cmake/GmrTrace.cmake.
#undef awaitable_async_op
#define GMR_TRACES_AWAITABLE 1

#include_next <boost/asio/awaitable.hpp>

#if defined(BOOST_ASIO_HAS_CO_AWAIT) && defined(BOOST_ASIO_HAS_STD_COROUTINE) && \
    !defined(GMR_TRACE_FIBERS_ONLY)  // what that is for: see docs/tracing.md
#include <gmr/detail/hook/coroutine_traits.hpp>
#include <gmr/detail/hook/traced_unit.hpp>
#endif
