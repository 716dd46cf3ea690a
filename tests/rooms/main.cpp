// A service that has all that a report shows, and is asked in every way.
#include <boost/asio.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmr/gmr.hpp>
#include <iostream>
#include <mutex>
#include <thread>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> wait_long(asio::steady_timer& timer) {
  gmr::set_name("waits");
  gmr::set_label("request", "GET /orders?token=hunter2");
  co_await timer.async_wait(asio::use_awaitable);
}

void lock_both(std::mutex& one, std::mutex& other) {
  one.lock();
  std::this_thread::sleep_for(50ms);
  other.lock();
}

void ask(gmr::settings set, const std::function<void(gmr::reporter&)>& how) {
  gmr::reporter reporter{{.name = "rooms", .version = "1"}, set};
  reporter.add_section("Numbers", [] {
    return gmr::key_values{}.add("url", "http://u:p@h/").add("list", std::vector{1, 2});
  });
  how(reporter);
}

// Every handler, and every thread of the reporter, has had a turn when it is asked for one more.
void ask_in_every_way(const std::filesystem::path& folder) {
  gmr::settings set;
  set.log_dir = folder;
  ask(set, [](gmr::reporter& reporter) {
    std::raise(SIGUSR2);
    std::cout << gmr::to_text(reporter.make()) << gmr::to_json(reporter.make());
  });
  set.format = gmr::report_format::json;
  set.list = gmr::report_list::each;
  set.file_event_handler = folder / "touched";
  set.file_event_handler_interval = 10ms;
  ask(set, [&](gmr::reporter& reporter) {
    std::ofstream{set.file_event_handler} << 'x';
    while (std::distance(std::filesystem::directory_iterator{folder}, {}) < 3)
      std::this_thread::sleep_for(10ms);
    static_cast<void>(reporter.make());
  });
}

}  // namespace

int main(int, char** arguments) {
  static asio::io_context io;
  static asio::steady_timer timer{io, 1h};
  asio::co_spawn(io, wait_long(timer), asio::detached);
  io.poll();
  boost::context::fiber fiber{
      [](boost::context::fiber&& caller) { return std::move(caller).resume(); }};
  fiber = std::move(fiber).resume();
  static std::mutex one;
  static std::mutex other;
  std::thread{[] { lock_both(one, other); }}.detach();
  std::thread{[] { lock_both(other, one); }}.detach();
  std::this_thread::sleep_for(200ms);
  ask_in_every_way(arguments[1]);
  std::cout << std::flush;
  std::exit(0);
}
