// Every thread of a pool waits for a task that is queued behind it in the same pool.
#include <future>
#include <latch>

#include "service.hpp"

namespace {

using namespace runbook;

constexpr int threads = 4;

int render_page(asio::thread_pool& pool, std::latch& all_begun) {
  all_begun.arrive_and_wait();  // what chance does elsewhere
  std::future<int> part = asio::post(pool, std::packaged_task<int()>{[] { return 1; }});
  return part.get();
}

}  // namespace

int main(int argc, char** argv) {
  const gmr::reporter reporter{{.name = "exhausted_pool", .version = "1"}, options(argc, argv)};
  asio::thread_pool pool{threads};
  std::latch all_begun{threads + 1};
  for (int page = 0; page < threads; ++page)
    asio::post(pool, [&] { render_page(pool, all_begun); });
  all_begun.arrive_and_wait();
  say_stuck();
  asio::io_context io;
  co_spawn(io, heartbeat(), asio::detached);
  io.run();
}
