// Small things that tests with coroutines share.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

namespace gmr::test {

// Awaits what may be cancelled.
inline constexpr auto quietly = boost::asio::as_tuple(boost::asio::use_awaitable);

// Runs what can run now.
inline void settle(boost::asio::io_context& io) {
  io.restart();
  while (io.poll() > 0) {
  }
}

// One entry of what chain() gives.
inline std::string at(const char* function, int line) {
  return std::string{function} + ':' + std::to_string(line);
}

}  // namespace gmr::test
