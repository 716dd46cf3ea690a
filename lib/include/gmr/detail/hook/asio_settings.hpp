// Names of two symbols for those settings of Asio, beside handler tracking, that change its types.
// The library defines those of its own settings, and each unit refers to those of its: see
// asio_units.hpp.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/asio/detail/config.hpp>

#if defined(BOOST_ASIO_DISABLE_THREADS)
#define GMR_ASIO_THREADS gmr_has_to_be_built_with_BOOST_ASIO_DISABLE_THREADS
#else
#define GMR_ASIO_THREADS gmr_has_to_be_built_without_BOOST_ASIO_DISABLE_THREADS
#endif
#if defined(BOOST_ASIO_HAS_IO_URING_AS_DEFAULT)
#define GMR_ASIO_WAITS gmr_has_to_be_built_with_BOOST_ASIO_HAS_IO_URING_and_BOOST_ASIO_DISABLE_EPOLL
#elif defined(BOOST_ASIO_HAS_EPOLL)
#define GMR_ASIO_WAITS gmr_has_to_be_built_without_BOOST_ASIO_DISABLE_EPOLL
#else
#define GMR_ASIO_WAITS gmr_has_to_be_built_with_BOOST_ASIO_DISABLE_EPOLL
#endif
extern "C" {
extern const char GMR_ASIO_THREADS;
extern const char GMR_ASIO_WAITS;
}
