// Each request opens a connection to the database that nobody closes.
#include <list>

#include "service.hpp"

namespace {

using namespace runbook;

class connection_pool {
 public:
  connection_pool(asio::io_context& io, tcp::endpoint database)
      : io_(io), database_(std::move(database)) {}

  // The mistake: connections are never taken from here again.
  asio::awaitable<void> connect() {
    co_await open_.emplace_back(io_).async_connect(database_, use_awaitable);
  }

 private:
  asio::io_context& io_;
  tcp::endpoint database_;
  std::list<tcp::socket> open_;
};

asio::awaitable<void> serve_requests(connection_pool& pool) {
  asio::steady_timer next{co_await asio::this_coro::executor};
  for (int request = 0;; ++request) {
    if (request == 10) say_stuck();
    co_await pool.connect();
    next.expires_after(std::chrono::milliseconds{100});
    co_await next.async_wait(use_awaitable);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "descriptor_leak", .version = "1"}, options(argc, argv)};
  asio::io_context io;
  tcp::acceptor database = listener(io);
  database.listen(4096);  // and never accepts
  connection_pool pool{io, database.local_endpoint()};
  co_spawn(io, serve_requests(pool), asio::detached);
  io.run();
}
