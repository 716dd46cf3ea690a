// A coroutine keeps a lock while it is suspended; the thread that runs it soon needs that lock
// itself.
#include <mutex>

#include "service.hpp"

namespace {

using namespace runbook;

class cache {
 public:
  asio::awaitable<void> refresh() {
    const std::lock_guard lock{mutex_};
    asio::steady_timer backend{co_await asio::this_coro::executor, std::chrono::hours{1}};
    co_await backend.async_wait(use_awaitable);  // with the lock
    ++age_;
  }

  asio::awaitable<int> read() {
    co_await asio::post(use_awaitable);
    say_stuck();
    const std::lock_guard lock{mutex_};
    co_return age_;
  }

 private:
  std::mutex mutex_;
  int age_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "lock_across_suspension", .version = "1"},
                               options(argc, argv)};
  cache prices;
  asio::io_context io;
  co_spawn(io, prices.refresh(), asio::detached);
  co_spawn(io, prices.read(), asio::detached);
  io.run();
}
