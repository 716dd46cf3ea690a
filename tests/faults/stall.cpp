// A program whose event loops stall: stall.py looks at what is reported.
//
//   stall KIND
//
// KIND is one of the names in `main`. Each says on standard output when it begins, by the clock of
// the wall. Lines marked `// KIND blocks here` are where the report must say that it blocks.
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <latch>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "gmr/reporter.hpp"

namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

std::mutex first_lock;
std::mutex second_lock;
std::atomic<std::uint64_t> result{0};

void say_begin() {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::printf("%.3f\n", now.count());
  std::fflush(stdout);
}

[[gnu::noinline]] void hold_the_lock() {
  const std::lock_guard held{first_lock};
  std::this_thread::sleep_for(1h);  // holder blocks here
}

[[gnu::noinline]] void wait_for_lock() {
  const std::lock_guard held{first_lock};  // mutex blocks here
  ++result;
}

[[gnu::noinline]] void sleep_long() {
  std::this_thread::sleep_for(1h);  // sleep blocks here
  ++result;
}

[[gnu::noinline]] void sleep_for_a_while() {
  std::this_thread::sleep_for(4s);  // while blocks here
  ++result;
}

[[gnu::noinline]] void spin_for_ever() {
  while (result != 1)  // spin blocks here
    continue;
}

[[gnu::noinline]] void compute_digest() {
  std::vector<std::uint64_t> numbers(1 << 16);
  std::mt19937_64 random{1};
  while (result != 1) {
    std::ranges::generate(numbers, random);
    std::ranges::sort(numbers);
    result = 2 * numbers[0] % 1000 + 2;
  }
}

// Of a server whose queue is full: nobody answers.
[[gnu::noinline]] void connect_to(const sockaddr_in& server) {
  const int to = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto* const address = reinterpret_cast<const sockaddr*>(&server);
  static_cast<void>(::connect(to, address, sizeof server));  // connect blocks here
  ++result;
}

void connect_in_vain() {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  static_cast<void>(::bind(server, reinterpret_cast<sockaddr*>(&address), size));
  static_cast<void>(::listen(server, 0));
  static_cast<void>(::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size));
  say_begin();
  for (int i = 0; i < 10; ++i)
    connect_to(address);
}

[[gnu::noinline]] void lock_both(std::mutex& one, std::mutex& other, std::latch& both) {
  const std::lock_guard held{one};
  both.arrive_and_wait();
  const std::lock_guard also{other};  // deadlock blocks here
  ++result;
}

// A loop on a thread of its own, known by a coroutine that it has run.
class loop final {
 public:
  explicit loop(const std::string& name)
      : thread_{[this, name] {
          ::pthread_setname_np(::pthread_self(), name.c_str());
          io_.run();
        }} {
    std::latch known{1};
    asio::co_spawn(io_, note(known), asio::detached);
    known.wait();
  }
  void post(std::function<void()> handler) { asio::post(io_, std::move(handler)); }
  [[nodiscard]] asio::io_context& io() { return io_; }

 private:
  static asio::awaitable<void> note(std::latch& known) {
    known.count_down();
    co_return;
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
};

// Never destroyed: the program is ended from outside.
loop& new_loop(const std::string& name) {
  return *new loop{name};
}

void block(const std::function<void()>& handler) {
  new_loop("worker").post([handler] {
    say_begin();
    handler();
  });
}

void block_in_deadlock() {
  static std::latch both{2};
  loop& one = new_loop("worker-a");
  loop& other = new_loop("worker-b");
  say_begin();
  one.post([] { lock_both(first_lock, second_lock, both); });
  other.post([] { lock_both(second_lock, first_lock, both); });
}

void block_by_lock() {
  static std::thread holder{[] {
    ::pthread_setname_np(::pthread_self(), "holder");
    hold_the_lock();
  }};
  while (first_lock.try_lock()) {
    first_lock.unlock();
    std::this_thread::sleep_for(1ms);
  }
  block(wait_for_lock);
}

// In a fiber, on a thread of a pool: both threads of it block.
void block_fibers() {
  auto& pool = *new asio::thread_pool{2};
  static std::latch both{2};
  for (int i = 0; i < 2; ++i)
    asio::spawn(
        pool,
        [](const asio::yield_context& yield) {
          asio::steady_timer timer{yield.get_executor(), 1ms};
          timer.async_wait(yield);
          asio::spawn(
              yield.get_executor(),
              [](const asio::yield_context&) {
                both.arrive_and_wait();
                say_begin();
                sleep_long();
              },
              asio::detached);
        },
        asio::detached);
}

// Of a loop that runs no green threads.
void block_watched(gmr::reporter& reporter) {
  static asio::io_context io;
  static const auto watched = reporter.watch(io.get_executor(), "orders");
  asio::post(io, [] {
    say_begin();
    sleep_long();
  });
  static std::thread worker{[] {
    ::pthread_setname_np(::pthread_self(), "worker");
    io.run();
  }};
}

// Handlers of 5 ms, one after the other, and ever more of them.
void work(asio::io_context& io) {
  const auto end = std::chrono::steady_clock::now() + 5ms;
  while (std::chrono::steady_clock::now() < end)
    result += 2;
  asio::post(io, [&io] { work(io); });
  if (result % 16 == 0) asio::post(io, [&io] { work(io); });
}

void be_busy() {
  for (const char* name : {"busy-a", "busy-b"}) {
    loop& busy = new_loop(name);
    for (int i = 0; i < 400; ++i)  // 2 s of work wait all the time
      busy.post([&busy] { work(busy.io()); });
  }
  say_begin();
}

// A loop that nobody runs any more has something to do.
void leave_loop() {
  static asio::io_context io;
  static std::atomic<bool> known{false};
  static asio::steady_timer timer{io, 1h};
  timer.async_wait([](const auto&) {});
  asio::co_spawn(
      io, []() -> asio::awaitable<void> { co_return known.store(true); }, asio::detached);
  while (!known)
    io.run_for(10ms);
  asio::post(io, [] { ++result; });
  say_begin();
}

asio::awaitable<void> wait_long() {
  asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
  co_await timer.async_wait(asio::use_awaitable);
}

void use_much() {
  loop& idle = new_loop("idle");
  std::this_thread::sleep_for(2500ms);  // a mark that is not passed is looked at
  static std::vector<char> memory(256 << 20, 'x');
  result += static_cast<std::uint64_t>(memory[4711]);
  for (int i = 0; i < 100; ++i)
    static_cast<void>(::dup(0));
  for (int i = 0; i < 200; ++i)
    asio::co_spawn(idle.io(), wait_long, asio::detached);
  say_begin();
}

}  // namespace

int main(int, char** arguments) {
  const std::string kind = arguments[1];
  gmr::settings set;
  set.format = gmr::report_format::json;
  set.stall = 1s;
  if (kind == "marks") {
    set.memory_mark = 200 << 20;
    set.descriptors_mark = 60;
    set.green_threads_mark = 100;
  }
  static gmr::reporter reporter{{.name = "stall", .version = "1"}, set};
  const std::map<std::string, std::function<void()>> kinds{
      {"mutex", block_by_lock},
      {"sleep", [] { block(sleep_long); }},
      {"spin", [] { block(spin_for_ever); }},
      {"connect", [] { new_loop("worker").post(connect_in_vain); }},
      {"compute", [] { block(compute_digest); }},
      {"deadlock", block_in_deadlock},
      {"fibers", block_fibers},
      {"watched", [] { block_watched(reporter); }},
      {"while", [] { block(sleep_for_a_while); }},
      {"busy", be_busy},
      {"left", leave_loop},
      {"idle",
       [] {
         new_loop("idle");
         say_begin();
       }},
      {"marks", use_much},
  };
  kinds.at(kind)();
  while (true)
    ::pause();
}
