// Included before everything else in units of gmr::trace that clang compiles: refuses a precompiled
// header that was made without gmr::trace and has Asio's coroutines in it. g++ notices by itself,
// and takes the header's text.
#pragma once

#if defined(BOOST_ASIO_AWAITABLE_HPP) && !defined(GMR_TRACES_AWAITABLE)
#error \
    "The precompiled header of this unit was made without gmr::trace, so that no report would show its coroutines: link gmr::trace to the target that makes it, or give this target one of its own"
#endif
