// A handler asks another server with a call that blocks, and with it everything else on its event
// loop.
#include <thread>

#include "service.hpp"

namespace {

using namespace runbook;

// Accepts and says nothing: the kernel does that for a listener that nobody looks after.
std::string ask_for_price(asio::io_context& io, const tcp::endpoint& prices) {
  tcp::socket connection{io};
  connection.connect(prices);
  say_stuck();
  std::string answer(16, '\0');
  asio::read(connection, asio::buffer(answer));
  return answer;
}

asio::awaitable<void> handle_order(asio::io_context& io, tcp::endpoint prices) {
  co_await asio::post(use_awaitable);
  std::cout << ask_for_price(io, prices) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "blocked_loop", .version = "1"}, options(argc, argv)};
  asio::io_context silent;
  const tcp::acceptor prices = listener(silent);
  asio::io_context io;
  co_spawn(io, heartbeat(), asio::detached);
  co_spawn(io, handle_order(io, prices.local_endpoint()), asio::detached);
  io.run();
}
