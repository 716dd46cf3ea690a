// What gmr-trace-ops.pc includes before everything else: pkg-config can't name a header in a macro.
#pragma once

#define BOOST_ASIO_CUSTOM_HANDLER_TRACKING <gmr/detail/hook/handler_tracking.hpp>
