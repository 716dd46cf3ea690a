// A unit that uses Asio's coroutines and was compiled without gmr::trace_ops.
#include <boost/asio/awaitable.hpp>

boost::asio::awaitable<void> nothing() {
  co_return;
}
