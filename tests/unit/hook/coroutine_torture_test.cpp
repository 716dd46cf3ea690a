// Threads run, cancel and end coroutines while another lists them: each picture is checked against
// what the program's shape allows.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <random>
#include <source_location>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "coroutine_listing.hpp"

namespace gmr::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using namespace asio::experimental::awaitable_operators;

constexpr int most_levels = 9;

// Level n awaits level n - 1; level 0 waits. So a chain shows 0, 1, 2, ... from the innermost on.
struct level_truth {
  std::atomic<const char*> function{nullptr};
  std::atomic<int> line{0};
};
std::array<level_truth, most_levels> truth;

int any(int below) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return static_cast<int>(random() % static_cast<unsigned>(below));
}

void tell(int level, int line, std::source_location here = std::source_location::current()) {
  truth[static_cast<std::size_t>(level)].line = line;
  truth[static_cast<std::size_t>(level)].function = here.function_name();
}

template <int Level>
asio::awaitable<void> level() {
  tell(Level, __LINE__ + 1);
  co_await level<Level - 1>();
}

template <>
asio::awaitable<void> level<0>() {
  asio::steady_timer timer{co_await asio::this_coro::executor, std::chrono::microseconds{any(300)}};
  switch (any(3)) {
    case 0:
      tell(0, 0);
      co_await asio::post(asio::use_awaitable);
      break;
    case 1:
      tell(0, 0);
      co_await timer.async_wait(asio::as_tuple(asio::deferred));
      break;
    default:
      tell(0, 0);
      co_await timer.async_wait(asio::use_awaitable);
      if (any(4) == 0) throw std::runtime_error{"in flight"};
  }
}

asio::awaitable<void> some_levels() {
  switch (any(4)) {
    case 0:
      return level<1>();
    case 1:
      return level<3>();
    case 2:
      return level<8>();
    default:
      return level<2>() && level<5>();
  }
}

asio::awaitable<void> root(const std::atomic<bool>& stop, std::atomic<int>& rounds) {
  while (!stop) {
    ++rounds;
    try {
      if (any(3) == 0)
        co_await (some_levels() || some_levels());  // the slower one is cancelled
      else
        co_await some_levels();
    } catch (const std::exception&) {
    }
  }
}

// Every level has told its name before anybody is listed: a frame is there before it runs.
void learn_names() {
  asio::io_context io;
  asio::co_spawn(io, level<most_levels - 1>(), asio::detached);
  io.run();
}

int level_of(const logical_frame& frame) {
  for (int i = 0; i < most_levels; ++i) {
    const char* const name = truth[static_cast<std::size_t>(i)].function;
    if (name != nullptr && std::strcmp(name, frame.function) == 0) return i;
  }
  return -1;
}

// Empty, or what is wrong with it.
std::string fault(const listed_coroutine& seen) {
  int expected = -1;  // unknown until the first level is seen
  for (std::size_t i = 0; i < seen.frames.size(); ++i) {
    const int level = level_of(seen.frames[i]);
    if (level < 0) {
      expected = most_levels;  // no level outside of what calls levels
      continue;
    }
    const bool waits = seen.state != green_thread_state::running;
    const bool begun =
        !seen.waits_for.empty() && seen.waits_for != "post" && seen.waits_for != "dispatch";
    if (expected == -1 && waits && begun && level != 0)
      return "the innermost is level " + std::to_string(level);
    if (expected != -1 && level != expected) return "gap before level " + std::to_string(level);
    const int line = truth[static_cast<std::size_t>(level)].line;
    if (i > 0 && static_cast<int>(seen.frames[i].line) != line)
      return "line of level " + std::to_string(level);
    expected = level + 1;
  }
  return {};
}

struct tally {
  std::size_t listings = 0, suspended = 0, deep = 0, wrong = 0;
  std::string first_fault;
};

void check(tally& counts) {
  ++counts.listings;
  for (const auto& seen : list_coroutines()) {
    if (seen.state != green_thread_state::running) ++counts.suspended;
    if (seen.frames.size() > 5) ++counts.deep;
    std::string what = fault(seen);
    if (what.empty()) continue;
    if (counts.wrong++ == 0)
      counts.first_fault = what + " in " + chain(seen) + ", " + seen.waits_for;
  }
}

TEST(CoroutineTorture, EveryPictureIsOneThatCanBe) {
  std::atomic<bool> stop{false};
  std::atomic<int> rounds{0};
  tally counts;
  learn_names();
  {
    asio::io_context io;
    std::vector<std::thread> threads;
    for (int i = 0; i < 40; ++i)
      asio::co_spawn(asio::make_strand(io), root(stop, rounds), asio::detached);
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&] { io.run(); });
    const auto end = std::chrono::steady_clock::now() + 1500ms;
    while (std::chrono::steady_clock::now() < end)
      check(counts);
    stop = true;
    for (auto& thread : threads)
      thread.join();
  }
  EXPECT_EQ(counts.wrong, 0U) << counts.first_fault;
  EXPECT_GT(counts.listings, 10U);
  EXPECT_GT(counts.suspended, 100U);
  EXPECT_GT(counts.deep, 0U);
  EXPECT_GT(rounds, 40);
  EXPECT_TRUE(list_coroutines().empty());
}

TEST(CoroutineTorture, ContextsAreDestroyedWhileListed) {
  learn_names();
  std::atomic<bool> done{false};
  std::thread service{[&] {
    const auto end = std::chrono::steady_clock::now() + 700ms;
    while (std::chrono::steady_clock::now() < end) {
      asio::io_context io;
      std::atomic<bool> stop{false};
      std::atomic<int> rounds{0};
      for (int i = 0; i < 20; ++i)
        asio::co_spawn(io, root(stop, rounds), asio::detached);
      io.run_for(1ms);
    }
    done = true;
  }};
  tally counts;
  while (!done)
    check(counts);
  service.join();
  EXPECT_EQ(counts.wrong, 0U) << counts.first_fault;
  EXPECT_TRUE(list_coroutines().empty());
}

}  // namespace
}  // namespace gmr::test
