// What the programs of docs/runbook.md share: options, so that each can be asked for a report as
// any service can, and the line by which they say that they are stuck.
#pragma once

#include <boost/asio.hpp>
#include <gmr/gmr.hpp>
#include <iostream>

namespace runbook {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;

inline gmr::loaded_options options(int argc, char** argv) {
  boost::program_options::options_description all{"options"};
  all.add(gmr::options());
  return gmr::load_options(argc, argv, all);
}

inline void say_stuck() {
  std::cout << "stuck" << std::endl;
}

// A listener of the service's on loopback, at any free port.
inline tcp::acceptor listener(asio::io_context& io) {
  return tcp::acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
}

// Does what a service does all the time, so that the processes do not look idle.
inline asio::awaitable<void> heartbeat() {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(std::chrono::milliseconds{100});
    co_await timer.async_wait(use_awaitable);
  }
}

}  // namespace runbook
