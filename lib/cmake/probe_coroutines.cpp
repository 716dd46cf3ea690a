// Whether coroutines are shown rightly with this Boost. Prints what is wrong and ends with 1.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "probe.hpp"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using gmr::green_thread_state;

struct waits {
  asio::io_context io;
  asio::steady_timer timer{io, std::chrono::hours{1}};
};

asio::awaitable<void> inner(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::use_awaitable);
}
asio::awaitable<void> outer(asio::steady_timer& timer) {
  co_await inner(timer);
}
asio::awaitable<void> deferred(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::deferred);
}
asio::awaitable<void> as_tuple(asio::steady_timer& timer) {
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}
asio::awaitable<void> redirected(asio::steady_timer& timer) {
  error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

struct knock {
  asio::steady_timer& timer;
  template <typename Self>
  void operator()(Self& self) {
    timer.async_wait(std::move(self));
  }
  template <typename Self>
  void operator()(Self& self, error_code error) {
    self.complete(error);
  }
};
asio::awaitable<void> composed(asio::steady_timer& timer) {
  co_await asio::async_compose<const asio::use_awaitable_t<>, void(error_code)>(
      knock{timer}, asio::use_awaitable, timer);
}

asio::awaitable<void> turn(asio::io_context& other) {
  co_await asio::post(other, asio::use_awaitable);
}

asio::awaitable<void> both(asio::steady_timer& timer) {
  using namespace asio::experimental::awaitable_operators;
  co_await (inner(timer) && inner(timer));
}

void not_begun_and_begun() {
  waits own;
  asio::co_spawn(own.io, outer(own.timer), asio::detached);
  expect("a coroutine that has not begun", probe::the_only_one("co_spawn", __FILE__),
         {green_thread_state::ready, "dispatch", "outer"});
  own.io.poll();
  expect("a chain", probe::the_only_one("a chain", __FILE__),
         {green_thread_state::suspended, "timer", "inner outer"});
  own.timer.cancel();
  own.io.restart();
  own.io.poll();
  if (!probe::coroutines(__FILE__).empty()) probe::fail("a coroutine that has ended is seen");
}

template <typename Function>
void waiting(const char* name, const char* operation, Function function) {
  waits own;
  asio::co_spawn(own.io, function(own.timer), asio::detached);
  own.io.poll();
  expect(name, probe::the_only_one(name, __FILE__),
         {green_thread_state::suspended, operation, name});
}

void ready() {
  waits own;
  asio::io_context other;
  asio::co_spawn(own.io, turn(other), asio::detached);
  own.io.poll();
  expect("post", probe::the_only_one("post", __FILE__),
         {green_thread_state::ready, "post", "turn"});
}

void branches() {
  waits own;
  asio::co_spawn(own.io, both(own.timer), asio::detached);
  own.io.poll();
  const auto all = probe::coroutines(__FILE__);
  std::uint64_t parent = 0;
  for (const probe::coroutine& each : all)
    if (each.waits_for == "parallel group") parent = each.id;
  std::size_t joined = 0;
  for (const probe::coroutine& each : all)
    joined += each.waits_for == "timer" && each.parent == parent ? 1 : 0;
  if (parent == 0 || joined != 2) probe::fail("the branches of && do not know who awaits them");
}

}  // namespace

int main() {
  not_begun_and_begun();
  waiting("deferred", "timer", deferred);
  waiting("as_tuple", "timer", as_tuple);
  waiting("redirected", "timer", redirected);
  waiting("composed", "(anonymous namespace)::knock", composed);
  ready();
  branches();
}
