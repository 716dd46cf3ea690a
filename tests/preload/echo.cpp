// An echo server as in Asio's examples. It knows nothing of gmr.
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <cstring>
#include <exception>
#include <iostream>
#include <thread>

#include <unistd.h>

namespace asio = boost::asio;
using asio::ip::tcp;

void echo(tcp::socket& socket, asio::yield_context yield) {
  std::array<char, 128> data{};
  for (;;) {
    const std::size_t size = socket.async_read_some(asio::buffer(data), yield);  // echo waits here
    asio::async_write(socket, asio::buffer(data, size), yield);
  }
}

void session(tcp::socket socket, asio::yield_context yield) {
  try {
    echo(socket, yield);
  } catch (const boost::system::system_error&) {
    // The client has left.
  }
}

void serve(tcp::acceptor& acceptor, asio::yield_context yield) {
  for (;;) {
    tcp::socket socket = acceptor.async_accept(yield);  // serve waits here
    asio::spawn(
        acceptor.get_executor(),
        [socket = std::move(socket)](asio::yield_context own) mutable {
          session(std::move(socket), own);
        },
        [](const std::exception_ptr&) {});
  }
}

int main(int argc, char** argv) {
  // As daemons do: the parent goes before anything is served.
  if (argc > 1 && std::strcmp(argv[1], "daemon") == 0 && ::fork() != 0) ::_exit(0);
  if (argc > 2 && std::strcmp(argv[2], "signalled") == 0) std::raise(SIGUSR2);
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  std::cout << ::getpid() << ' ' << acceptor.local_endpoint().port() << std::endl;
  asio::spawn(
      io, [&](asio::yield_context yield) { serve(acceptor, yield); },
      [](const std::exception_ptr&) {});
  std::thread other{[&] { io.run(); }};
  io.run();
  other.join();
}
