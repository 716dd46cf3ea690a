// Coroutines: chains at random depth and trees, cancelled and thrown through all the time.
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>

#include "traveller.hpp"
#include "work.hpp"

namespace torture {

std::atomic<bool> stop{false};

namespace {

namespace asio = boost::asio;
using task = asio::awaitable<void>;
using namespace asio::experimental::awaitable_operators;

task go(traveller& me, int depth, int forks);

task turn(traveller& me) {
  const step here{me, "torture::turn"};
  here.tell('0', __LINE__ + 1);
  co_await asio::post(asio::use_awaitable);
}

task timer(traveller& me) {
  const step here{me, "torture::timer"};
  asio::steady_timer timer{co_await asio::this_coro::executor,
                           std::chrono::microseconds{me.any(2000)}};
  here.tell('1', __LINE__ + 1);
  co_await timer.async_wait(asio::use_awaitable);
}

task timer_as_tuple(traveller& me) {
  const step here{me, "torture::timer_as_tuple"};
  asio::steady_timer timer{co_await asio::this_coro::executor,
                           std::chrono::microseconds{me.any(500)}};
  here.tell('2', __LINE__ + 1);
  co_await timer.async_wait(asio::as_tuple(asio::deferred));
}

task plain(traveller& me, int depth, int forks) {
  const step here{me, "torture::plain"};
  co_await go(here.at('r', me), depth - 1, forks);
}

task twice(traveller& me, int depth, int forks) {
  const step here{me, "torture::twice"};
  co_await go(here.at('s', me), depth - 2, forks);
  co_await go(here.at('t', me), depth - 3, forks);
}

asio::awaitable<int> gives(traveller& me, int depth, int forks) {
  const step here{me, "torture::gives"};
  co_await go(here.at('u', me), depth - 1, forks);
  if (me.any(3) == 0) throw gave_up{};
  co_return depth;
}

task catches(traveller& me, int depth, int forks) {
  const step here{me, "torture::catches"};
  try {
    static_cast<void>(co_await gives(here.at('v', me), depth - 1, forks));
  } catch (const gave_up&) {
  }
  co_await go(here.at('w', me), depth - 2, forks);
}

// A green thread of its own.
task branch(int depth, int forks) {
  traveller me;
  const step here{me, "torture::branch"};
  co_await go(here.at('x', me), depth, forks);
}

task race(traveller& me, int depth, int forks) {
  const step here{me, "torture::race"};
  here.tell('y', __LINE__ + 1);
  co_await (branch(depth - 1, forks - 1) || branch(depth - 2, forks - 1));
}

task both(traveller& me, int depth, int forks) {
  const step here{me, "torture::both"};
  here.tell('z', __LINE__ + 1);
  co_await (branch(depth - 1, forks - 1) && branch(depth - 2, forks - 1));
}

task wait(traveller& me) {
  const step here{me, "torture::wait"};
  switch (me.any(3)) {
    case 0:
      co_await turn(here.at('3', me));
      break;
    case 1:
      co_await timer(here.at('4', me));
      break;
    default:
      co_await timer_as_tuple(here.at('5', me));
  }
}

task go(traveller& me, int depth, int forks) {
  const step here{me, "torture::go"};
  if (depth <= 0 || me.is_far()) {
    co_await wait(here.at('6', me));
    co_return;
  }
  switch (me.any(forks > 0 ? 6 : 4)) {
    case 0:
      co_await plain(here.at('7', me), depth, forks);
      break;
    case 1:
    case 2:
      co_await twice(here.at('8', me), depth, forks);
      break;
    case 3:
      co_await catches(here.at('9', me), depth, forks);
      break;
    case 4:
      co_await race(here.at('H', me), depth, forks);
      break;
    default:
      co_await both(here.at('I', me), depth, forks);
  }
}

task root() {
  traveller me;
  const step here{me, "torture::root"};
  while (!stop) {
    const int depth = me.any(14);
    try {
      co_await go(here.at('J', me), depth, 2);
    } catch (const std::exception&) {
    } catch (const gave_up&) {
    }
  }
}

}  // namespace

void spawn_coroutines(asio::io_context& io, int count) {
  for (int i = 0; i < count; ++i)
    asio::co_spawn(asio::make_strand(io), root(), asio::detached);
}

void stop_travelling() {
  stop = true;
}

}  // namespace torture
