// In place of coroutine.cpp: a program without coroutines, though it has all headers of Asio's.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

void start_coroutine() {
  static boost::asio::io_context io;
  static boost::asio::steady_timer timer{io, std::chrono::hours{1}};
  timer.async_wait([](const boost::system::error_code&) {});
  io.poll();
}
