// The explicit form: coroutines over gmr::traced_executor, in a unit compiled without gmr::trace.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <gmr/trace/label.hpp>
#include <gmr/trace/traced_executor.hpp>

#include "awaitables.hpp"
#include "loop.hpp"
#include "programs.hpp"

namespace truth {

template <>
task<gmr::traced_executor> wait<gmr::traced_executor>(green_thread& me) {
  const frame here{me, "truth::wait"};
  if (!me.parks()) {
    co_await asio::post(asio::deferred);
    perhaps_give_up_waiting(me);
    co_return;
  }
  me.waits_for = "timer";
  auto& timer = endless_timer(co_await asio::this_coro::executor);
  count_parked();
  if (me.any(2) == 0)
    co_await timer.async_wait(here.at(gmr::use_awaitable));
  else
    co_await timer.async_wait(asio::as_tuple(here.at(asio::deferred)));
}

namespace {

gmr::awaitable<void> body(green_thread& me) {
  const frame here{me, "truth::body"};
  gmr::set_name(me.name);
  co_await descend_on<gmr::traced_executor>(here.at(me));
}

}  // namespace

void start_explicit(int count) {
  run_until_parked(1, [&] {
    for (int i = 0; i < count; ++i) {
      const gmr::traced_executor executor{asio::make_strand(loop())};
      asio::co_spawn(executor, body(new_green_thread("coroutine", "explicit")), asio::detached);
    }
  });
}

}  // namespace truth
