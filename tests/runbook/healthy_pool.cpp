// Nothing is wrong here: an event loop of two threads hands work to a pool that is nearly always at
// it, beside a writer of logs that has little to do and a thread of one's own that has nothing to
// do.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "service.hpp"

namespace {

using namespace runbook;

class log_writer {
 public:
  void run(std::stop_token stop) {
    std::unique_lock lock{mutex_};
    while (changed_.wait(lock, stop, [this] { return lines_ > 0; }))
      lines_ = 0;
  }

  void add_line() {
    const std::lock_guard lock{mutex_};
    ++lines_;
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int lines_ = 0;
};

unsigned digest_of(unsigned request) {
  volatile unsigned digest = request;
  for (int round = 0; round < 100'000; ++round)
    digest = digest * 31 + 7;
  return digest;
}

asio::awaitable<void> serve(asio::thread_pool& pool, log_writer& log) {
  const auto loop = co_await asio::this_coro::executor;
  for (unsigned request = 0;; ++request) {
    co_await asio::post(pool, use_awaitable);
    const unsigned digest = digest_of(request);
    co_await asio::post(loop, use_awaitable);
    if (digest % 256 == 0) log.add_line();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "healthy_pool", .version = "1"}, options(argc, argv)};
  log_writer log;
  log_writer unused;
  const std::jthread writes{[&](std::stop_token stop) { log.run(std::move(stop)); }};
  const std::jthread idles{[&](std::stop_token stop) { unused.run(std::move(stop)); }};
  asio::thread_pool pool{2};
  asio::io_context io;
  for (int client = 0; client < 8; ++client)
    co_spawn(io, serve(pool, log), asio::detached);
  co_spawn(io, heartbeat(), asio::detached);
  const std::jthread second{[&] { io.run(); }};
  say_stuck();
  io.run();
}
