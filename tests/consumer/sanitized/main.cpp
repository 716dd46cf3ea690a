// A program for ThreadSanitizer: sanitized FOLDER. Everything that hands something from the
// library's threads to the program's or back is done, while coroutines run on two threads: reports
// by a signal, by a touched file and by calls from several threads, with sections that come and go.
#include <signal.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <gmr/gmr.hpp>
#include <iostream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

std::atomic<bool> done = false;
std::mutex mutex;
std::string state;  // with the mutex

asio::awaitable<void> runs() {
  gmr::set_name("runs");
  while (!done) {
    asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
    co_await timer.async_wait(asio::use_awaitable);
    gmr::set_label("at", 1);
    const std::lock_guard lock{mutex};
    state += state.size() < 100 ? "x" : "";
  }
}

// Fibers that come, wait while reports are made, and go.
void run_fibers() {
  while (!done) {
    boost::context::fiber fiber{
        [](boost::context::fiber&& caller) { return std::move(caller).resume(); }};
    fiber = std::move(fiber).resume();
    std::this_thread::sleep_for(1ms);
    fiber = std::move(fiber).resume();
  }
}

std::size_t files_in(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& each : fs::directory_iterator{folder})
    if (each.path().extension() != ".tmp") ++count;
  return count;
}

template <class Trigger>
void report_into(const fs::path& folder, Trigger trigger) {
  const std::size_t before = files_in(folder);
  const auto end = std::chrono::steady_clock::now() + 120s;
  while (files_in(folder) == before) {
    trigger();
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error{"no report came"};
    std::this_thread::sleep_for(100ms);
  }
}

void use(gmr::reporter& reporter) {
  for (int i = 0; i < 3; ++i) {
    const auto section = reporter.add_scoped_section(
        "Scoped", [text = std::to_string(i)] { return gmr::key_values{}.add("i", text); });
    const gmr::report made = reporter.make("call");
    if (gmr::to_text(made).find("Scoped") == std::string::npos)
      throw std::runtime_error{"the section is missing"};
    if (gmr::to_json(made).empty()) throw std::runtime_error{"no JSON"};
    reporter.log_line("a line of the log");
    static_cast<void>(reporter.counters());
  }
}

void run_reporter(const gmr::settings& set, const fs::path& touched) {
  gmr::reporter reporter{{.name = "sanitized", .version = "1"}, set};
  reporter.add_section("State", [] {
    const std::lock_guard lock{mutex};
    return gmr::key_values{}.add("state", state);
  });
  std::thread other{[&] { use(reporter); }};
  report_into(set.log_dir, [&] {
    if (touched.empty())
      ::raise(SIGUSR2);
    else
      std::ofstream{touched, std::ios::app} << "x";
  });
  use(reporter);
  other.join();
}

}  // namespace

int main(int, char** argv) try {
  const fs::path folder{argv[1]};
  const fs::path touched = folder / "touched";
  const fs::path logs = folder / "logs";
  fs::create_directories(logs);
  asio::thread_pool pool{2};
  for (int i = 0; i < 4; ++i)
    co_spawn(pool, runs(), asio::detached);
  std::thread fibers{run_fibers};
  run_reporter({.log_dir = logs}, {});
  run_reporter(
      {.file_event_handler = touched, .file_event_handler_interval = 10ms, .log_dir = logs},
      touched);
  done = true;
  fibers.join();
  pool.join();
  std::cout << "done\n";
} catch (const std::exception& error) {
  std::cerr << "sanitized: " << error.what() << '\n';
  std::quick_exit(1);
}
