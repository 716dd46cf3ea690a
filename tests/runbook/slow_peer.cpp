// A client has stopped reading, and the session that serves it waits to be rid of its answer.
#include "service.hpp"

namespace {

using namespace runbook;

asio::awaitable<void> send_answer(tcp::socket client) {
  const std::string answer(64U << 20U, 'x');
  say_stuck();
  co_await asio::async_write(client, asio::buffer(answer), use_awaitable);
}

asio::awaitable<void> accept_clients(tcp::acceptor clients) {
  for (;;)
    co_spawn(clients.get_executor(), send_answer(co_await clients.async_accept(use_awaitable)),
             asio::detached);
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "slow_peer", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  tcp::acceptor clients = listener(io);
  tcp::socket slow{io};
  slow.connect(clients.local_endpoint());
  co_spawn(io, heartbeat(), asio::detached);
  co_spawn(io, accept_clients(std::move(clients)), asio::detached);
  io.run();
}
