// A service one of whose threads holds a lock of the C library for ever: faults.py asks it for
// reports.
//
//   held_locks LOCK DIRECTORY [FORMAT]     LOCK is one of the names in `main`; DIRECTORY is for
//   files
//
// It has a fiber and a coroutine that are suspended for ever, too.
#include <link.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "gmr/reporter.hpp"

namespace {

using std::chrono::milliseconds;

std::atomic<long> beats = 0;  // of a thread that goes round and round

void stay() {
  for (;;)
    ::pause();
}

// Returns when it has been made and stands still: it has the lock then, or waits for it.
void start(const std::function<void()>& body) {
  std::thread thread{body};
  clockid_t clock{};
  ::pthread_getcpuclockid(thread.native_handle(), &clock);
  timespec used{-1, 0};
  for (timespec now{};; used = now) {
    std::this_thread::sleep_for(milliseconds{100});
    ::clock_gettime(clock, &now);
    if (now.tv_sec == used.tv_sec && now.tv_nsec == used.tv_nsec) break;
  }
  thread.detach();
}

// As `body` does in a loop, until a signal handler that does the same meets it in the middle: the
// classic mistake.
void start_until_it_meets_itself(void (*body)()) {
  static void (*in_handler)();
  in_handler = body;
  ::signal(SIGALRM, [](int) { in_handler(); });
  std::thread thread{[body] {
    for (;; ++beats)
      body();
  }};
  for (long before = -1; before != beats;) {
    ::pthread_kill(thread.native_handle(), SIGALRM);
    before = beats;
    std::this_thread::sleep_for(milliseconds{100});
  }
  thread.detach();
}

void allocate() {
  void* const block = std::malloc(3000);
  asm volatile("" : : "r"(block) : "memory");
  std::free(block);
}

void ask_the_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
}

void list_of_streams() {
  start([] {
    ::flockfile(stdout);
    stay();
  });
  start([] { std::fflush(nullptr); });
}

void list_of_libraries() {
  start([] {
    const auto stop = [](dl_phdr_info*, std::size_t, void*) {
      stay();
      return 0;
    };
    ::dl_iterate_phdr(stop, nullptr);
  });
}

boost::asio::awaitable<void> wait_in_a_coroutine() {
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, std::chrono::hours{1}};
  co_await timer.async_wait(boost::asio::use_awaitable);
}

// A file that hangs when it is opened, as on a network file system.
std::string file_that_hangs(const std::string& path) {
  ::mkfifo(path.c_str(), 0600);
  return path;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string directory = arguments[2];
  const std::map<std::string, std::function<void()>> locks{
      {"stream",
       [] {
         start([] {
           ::flockfile(stderr);
           stay();
         });
       }},
      {"streams", list_of_streams},
      {"libraries", list_of_libraries},
      {"time_zone",
       [&] {
         ::setenv("TZ", (":" + file_that_hangs(directory + "/zone")).c_str(), 1);
         start(ask_the_time);
       }},
      {"time_zone_in_a_handler", [] { start_until_it_meets_itself(ask_the_time); }},
      {"locale",
       [&] {
         ::mkdir((directory + "/xx_XX").c_str(), 0700);
         file_that_hangs(directory + "/xx_XX/LC_CTYPE");
         ::setenv("LOCPATH", directory.c_str(), 1);
         start([] { std::setlocale(LC_CTYPE, "xx_XX"); });
       }},
      {"malloc", [] { start_until_it_meets_itself(allocate); }},
  };
  gmr::settings settings;
  const bool is_text = count > 3 && std::string{arguments[3]} == "text";
  if (!is_text) settings.format = gmr::report_format::json;
  settings.deadline = std::chrono::seconds{2};
  gmr::reporter reporter{{.name = "locks", .version = "1"}, settings};
  boost::context::fiber suspended{[](boost::context::fiber&& caller) {
    return std::move(caller).resume();  // and never on
  }};
  suspended = std::move(suspended).resume();
  boost::asio::io_context context;
  boost::asio::co_spawn(context, wait_in_a_coroutine(), boost::asio::detached);
  context.poll();
  locks.at(arguments[1])();
  static_cast<void>(!::write(STDOUT_FILENO, "ready\n", 6));
  stay();
}
