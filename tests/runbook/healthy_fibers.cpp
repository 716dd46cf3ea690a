// Nothing is wrong here: fibers that are spawned and end by the thousand, and a table under a lock
// that all threads use.
#include <boost/asio/spawn.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "service.hpp"

namespace {

using namespace runbook;

class table {
 public:
  void add(int key) {
    const std::lock_guard lock{mutex_};
    ++rows_[key % 100];
  }

 private:
  std::mutex mutex_;
  std::map<int, long> rows_;
};

void handle(table& rows, int request, asio::yield_context yield) {
  asio::steady_timer backend{yield.get_executor(), std::chrono::milliseconds{20}};
  backend.async_wait(yield);
  for (int row = 0; row < 200; ++row)
    rows.add(request + row);
}

void serve(table& rows, asio::yield_context yield) {
  asio::steady_timer next{yield.get_executor()};
  for (int request = 0;; ++request) {
    asio::spawn(
        yield.get_executor(),
        [&rows, request](asio::yield_context each) { handle(rows, request, each); },
        asio::detached);
    next.expires_after(std::chrono::milliseconds{1});
    next.async_wait(yield);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "healthy_fibers", .version = "1"}, options(argc, argv)};
  table rows;
  asio::io_context io;
  for (int loops = 0; loops < 4; ++loops)
    asio::spawn(io, [&](asio::yield_context yield) { serve(rows, yield); }, asio::detached);
  const std::jthread second{[&] { io.run(); }};
  const std::jthread third{[&] { io.run(); }};
  say_stuck();
  io.run();
}
