// Stands in front of Boost's file of the same name, which is part of Asio's separately compiled code:
// says whether that was compiled with gmr::trace_ops. See gmr/detail/hook/asio_units.hpp.
#pragma once
#pragma GCC system_header  // include_next is an extension

#include_next <boost/asio/detail/impl/handler_tracking.ipp>

#if defined(BOOST_ASIO_SOURCE) && defined(BOOST_ASIO_CUSTOM_HANDLER_TRACKING)
#include <gmr/detail/hook/asio_units.hpp>

namespace gmr::trace {
extern const char asio_source_with_trace_ops [[gnu::weak]];
const char asio_source_with_trace_ops = 0;
}  // namespace gmr::trace
#endif
