// What tracing costs in memory and allocations. Built twice: tracing_memory_plain and _traced, for
// tracing_cost.py. Prints one JSON object, then waits, with a reporter and nothing to do, for
// the end of its standard input.
#include <unistd.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/context/fiber.hpp>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <gmr/gmr.hpp>
#include <iostream>
#include <utility>
#include <vector>

#include "one_mapping.hpp"

// glibc's allocator under other names: what is defined below stands in for all the program uses.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

std::atomic<long> allocations = 0;

void* counted(void* memory) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

}  // namespace

extern "C" {
void* malloc(std::size_t size) noexcept {
  return counted(__libc_malloc(size));
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return counted(__libc_calloc(count, size));
}
void* realloc(void* memory, std::size_t size) noexcept {
  return counted(__libc_realloc(memory, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return counted(__libc_memalign(alignment, size));
}
}

namespace {

namespace asio = boost::asio;
namespace context = boost::context;

constexpr int depth = 8;

double resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  long size = 0;
  long resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

asio::awaitable<void> suspend(int times) {
  for (int i = 0; i < times; ++i)
    co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
}

asio::awaitable<int> child(int i) {
  co_return i;
}

asio::awaitable<void> call(int times) {
  for (int i = 0; i < times; ++i)
    co_await child(i);
}

// Of one of what `coroutine` does so many times.
template <typename Coroutine>
double allocations_of(Coroutine coroutine) {
  constexpr int times = 100'000;
  asio::io_context io{1};
  asio::co_spawn(io, coroutine(1000), asio::detached);  // fills caches
  io.run();
  io.restart();
  asio::co_spawn(io, coroutine(times), asio::detached);
  const long before = allocations.load();
  io.run();
  return static_cast<double>(allocations.load() - before) / times;
}

asio::awaitable<void> park(asio::steady_timer& timer, int levels) {
  if (levels > 1)
    co_await park(timer, levels - 1);
  else
    co_await timer.async_wait(asio::deferred);
}

// Of one of a chain's frames, its caller's share of the entry point included.
double bytes_of_a_frame(asio::io_context& io, std::deque<asio::steady_timer>& timers) {
  constexpr int count = 100'000;
  for (int i = 0; i < count; ++i)
    timers.emplace_back(io, std::chrono::hours{24});
  const double before = resident_bytes();
  for (asio::steady_timer& timer : timers) {
    asio::co_spawn(io, park(timer, depth), asio::detached);
    io.poll();  // one by one: what co_spawn needs for a moment is no memory of the frames
  }
  return (resident_bytes() - before) / (count * (depth + 1));
}

double bytes_of_a_fiber(std::vector<context::fiber>& fibers) {
  constexpr std::size_t count = 50'000;
  one_mapping stacks{count, 8192};
  fibers.reserve(count);
  const double before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i)
    fibers.push_back(context::fiber{
        std::allocator_arg, one_mapping::allocator{stacks}, [](context::fiber&& caller) {
          return std::move(caller).resume();
        }}.resume());
  return (resident_bytes() - before) / count;
}

}  // namespace

int main() {
  asio::io_context io{1};
  std::deque<asio::steady_timer> timers;
  std::vector<context::fiber> fibers;
  std::cout << R"({"allocations a suspension": )" << allocations_of(suspend)
            << R"(, "allocations a frame": )" << allocations_of(call)
            << R"(, "bytes a coroutine frame": )" << bytes_of_a_frame(io, timers)
            << R"(, "bytes a fiber": )" << bytes_of_a_fiber(fibers) << "}" << std::endl;
  const gmr::reporter reporter{{.name = "target", .version = "1"}, gmr::settings{}};
  asio::posix::stream_descriptor input{io, 0};
  input.async_wait(asio::posix::stream_descriptor::wait_read,
                   [](const boost::system::error_code&) { std::_Exit(0); });
  io.run();
}
