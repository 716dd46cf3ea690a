// Whose header is found: with -E by the directive below, when it is compiled by what gmr::trace
// does to units that find Boost's.
#include <boost/asio/awaitable.hpp>

#if !defined(GMR_TRACES_AWAITABLE)
#error "Boost's header was found before that of gmr::trace"
#endif
