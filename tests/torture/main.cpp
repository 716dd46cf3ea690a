// Threads spawn, switch, throw, cancel and destroy fibers and coroutines as fast as they can while
// reports are made back to back: THREADS SECONDS. Each green thread is named after the way it has
// gone, which its stack has to show. Fails when one ever was wrong.
#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <gmr/gmr.hpp>
#include <iostream>
#include <random>
#include <thread>
#include <vector>

#include "check.hpp"
#include "work.hpp"

namespace {

using clock = std::chrono::steady_clock;

std::atomic<bool> done{false};
std::atomic<std::uint64_t> switches{0};
std::atomic<std::uint64_t> contexts{0};

// An io_context with all that waits in it comes and goes.
void churn_context(std::minstd_rand& random) {
  boost::asio::io_context io;
  torture::spawn_coroutines(io, 5);
  torture::spawn_fibers(io, 3);
  for (auto turns = random() % 100; turns > 0; --turns)
    io.poll_one();
  ++contexts;
}

void work(boost::asio::io_context& shared, unsigned seed) {
  std::minstd_rand random{seed};
  int scheduled = 0;
  while (!done) {
    for (int i = 0; i < 50; ++i)
      torture::churn_fibers(random);
    for (int i = 0; i < 20; ++i)
      torture::churn_coroutines(random);
    for (int i = 0; i < 5; ++i)
      torture::churn_scheduled(random, scheduled);
    for (int i = 0; i < 50; ++i)
      switches += shared.poll_one();
    if (random() % 20 == 0) churn_context(random);
  }
  torture::end_scheduled(scheduled);
}

torture::tally run(int threads, int seconds) {
  gmr::settings settings;
  settings.list = gmr::report_list::each;
  gmr::reporter reporter{{.name = "torture"}, settings};
  boost::asio::io_context shared;
  const auto keep = boost::asio::make_work_guard(shared);
  torture::spawn_coroutines(shared, 30);
  torture::spawn_fibers(shared, 30);
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i)
    workers.emplace_back([&, i] { work(shared, static_cast<unsigned>(i) + 1); });
  torture::tally counts;
  const auto end = clock::now() + std::chrono::seconds{seconds};
  while (clock::now() < end || counts.reports < 3)
    torture::check(reporter.make(), counts);
  torture::stop_travelling();
  done = true;
  for (std::thread& worker : workers)
    worker.join();
  torture::end_fibers();
  torture::end_coroutines();
  return counts;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 4;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 5;
  const torture::tally counts = run(threads, seconds);
  std::cout << "threads " << threads << " reports " << counts.reports;
  std::uint64_t fewest = counts.compared.size() == 2 ? UINT64_MAX : 0;
  for (const auto& [kind, count] : counts.compared) {
    std::cout << ' ' << kind << "s " << count;
    fewest = std::min(fewest, count);
  }
  std::cout << " frames " << counts.frames << " running " << counts.running << " unnamed "
            << counts.unnamed << " handlers " << switches << " contexts " << contexts << " wrong "
            << counts.wrong << std::endl;
  if (counts.wrong != 0) std::cout << counts.first_fault << std::endl;
  if (fewest < 50) std::cout << "too few were suspended" << std::endl;
  return counts.wrong != 0 || fewest < 50 ? 1 : 0;
}
