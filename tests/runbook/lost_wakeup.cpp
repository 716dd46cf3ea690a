// A worker looks at its queue, and is told of the job just before it begins to wait: so it waits
// for ever.
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>

#include "service.hpp"

namespace {

using namespace runbook;

class worker {
 public:
  // The mistake: `waiting_` is looked at without the lock that guards it, and so is set in between.
  void take_job() {
    if (jobs_ == 0) {
      looked_.arrive_and_wait();
      told_.wait();
      std::unique_lock lock{mutex_};
      changed_.wait(lock);
    }
  }

  void add_job() {
    looked_.arrive_and_wait();  // what chance does elsewhere
    ++jobs_;
    changed_.notify_one();
    told_.count_down();
  }

 private:
  std::atomic<int> jobs_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::latch looked_{2};
  std::latch told_{1};
};

asio::awaitable<void> handle_request(worker& does_it) {
  asio::steady_timer done{co_await asio::this_coro::executor,
                          asio::steady_timer::time_point::max()};
  does_it.add_job();
  say_stuck();
  co_await done.async_wait(use_awaitable);  // until the worker cancels it
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "lost_wakeup", .version = "1"}, options(argc, argv)};
  worker storage;
  const std::jthread thread{[&] { storage.take_job(); }};
  asio::io_context io;
  co_spawn(io, heartbeat(), asio::detached);
  co_spawn(io, handle_request(storage), asio::detached);
  io.run();
}
