// Stands in front of Boost's header of the same name: that one first, then our tracing of its
// coroutines. On the include path of targets that link gmr::trace, and of no others.
#pragma once
#pragma GCC system_header  // include_next is an extension

#include_next <boost/asio/awaitable.hpp>

#if defined(BOOST_ASIO_HAS_CO_AWAIT) && defined(BOOST_ASIO_HAS_STD_COROUTINE)
#include <gmr/trace/coroutine_traits.hpp>
#endif
