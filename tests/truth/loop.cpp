#include "loop.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace truth {

asio::io_context& loop() {
  static auto* const io = new asio::io_context;
  return *io;
}

asio::io_context& stopped_loop() {
  static auto* const io = new asio::io_context;
  return *io;
}

void run_until_parked(int threads, const std::function<void()>& start) {
  start();
  if (threads == 1) {
    while (!all_have_parked())
      loop().poll();
    loop().restart();
    loop().poll();
    return;
  }
  std::atomic<bool> done{false};
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i)
    pool.emplace_back([&] {
      while (!done)
        loop().poll_one();
    });
  while (!all_have_parked())
    std::this_thread::yield();
  done = true;
  for (std::thread& thread : pool)
    thread.join();
  loop().restart();
  loop().poll();  // what has parked may have been followed by Asio's own work
}

}  // namespace truth
