// A process with many threads for thread_dump_peers.py: thread_dump_target THREADS LOG_DIR. Reports
// go to files there; it ends when its standard input does.
#include <cstdlib>
#include <gmr/gmr.hpp>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

namespace {

std::mutex gate;

[[gnu::noinline]] int work(int depth) {
  volatile char locals[64];
  locals[0] = 1;
  if (depth > 0) return work(depth - 1) + locals[0];
  const std::lock_guard wait{gate};
  return locals[0];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  gmr::settings set;
  set.log_dir = argv[2];
  const gmr::reporter reporter{{.name = "target", .version = "1"}, set};
  std::vector<std::thread> threads;
  {
    const std::lock_guard hold{gate};
    for (int i = 0; i < std::atoi(argv[1]); ++i)
      threads.emplace_back([] { work(8); });
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
    }
  }
  for (std::thread& each : threads)
    each.join();
}
