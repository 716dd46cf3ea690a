// Trees of coroutines: one that awaits several.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <gmr/trace/label.hpp>
#include <string_view>

#include "awaitables.hpp"
#include "loop.hpp"
#include "programs.hpp"

namespace truth {
namespace {

using executor = asio::any_io_executor;
using namespace asio::experimental::awaitable_operators;

task<executor> grow(green_thread& me, int depth);

green_thread& new_branch(const green_thread& parent, std::string_view what) {
  green_thread& made = new_green_thread("coroutine", what);
  made.parent = parent.name;
  return made;
}

task<executor> branch(green_thread& me, int depth) {
  const frame here{me, "truth::branch"};
  gmr::set_name(me.name);
  co_await grow(here.at(me), depth);
}

task<executor> leaf(green_thread& me) {
  const frame here{me, "truth::leaf"};
  co_await descend_on<executor>(here.at(me));
}

task<executor> both(green_thread& me, int depth) {
  const frame here{me, "truth::both"};
  me.waits_for = "parallel group";
  green_thread& one = new_branch(me, "both");
  green_thread& other = new_branch(me, "both");
  count_parked();
  co_await (branch(here.at(one), depth) && branch(other, depth));
}

task<executor> either(green_thread& me, int depth) {
  const frame here{me, "truth::either"};
  me.waits_for = "parallel group";
  green_thread& pair = new_branch(me, unnamed);  // the inner ||
  green_thread& one = new_branch(pair, "either");
  green_thread& other = new_branch(pair, "either");
  green_thread& third = new_branch(me, "either");
  count_parked();
  co_await (branch(here.at(one), depth) || branch(other, depth) || branch(third, depth));
}

task<executor> group(green_thread& me, int depth) {
  const frame here{me, "truth::group"};
  const executor own = co_await asio::this_coro::executor;
  me.waits_for = "parallel group";
  green_thread& one = new_branch(me, "group");
  green_thread& other = new_branch(me, "group");
  auto group = asio::experimental::make_parallel_group(
      asio::co_spawn(own, branch(one, depth), asio::deferred),
      asio::co_spawn(own, branch(other, depth), asio::deferred));
  count_parked();
  co_await group.async_wait(asio::experimental::wait_for_all(), here.at(asio::use_awaitable));
}

task<executor> group_of_timers(green_thread& me) {
  const frame here{me, "truth::group_of_timers"};
  const executor own = co_await asio::this_coro::executor;
  me.waits_for = "parallel group";
  auto group = asio::experimental::make_parallel_group(
      endless_timer(own).async_wait(asio::deferred), endless_timer(own).async_wait(asio::deferred));
  count_parked();
  co_await group.async_wait(asio::experimental::wait_for_one(), here.at(asio::deferred));
}

task<executor> spawned(green_thread& me, int depth) {
  const frame here{me, "truth::spawned"};
  const executor own = co_await asio::this_coro::executor;
  me.waits_for = "coroutine";
  green_thread& child = new_branch(me, "spawned");
  count_parked();
  co_await asio::co_spawn(own, branch(child, depth), here.at(asio::use_awaitable));
}

task<executor> cancelled_soon(bool first) {
  if (first) co_return;
  co_await endless_timer(co_await asio::this_coro::executor).async_wait(asio::use_awaitable);
}

// One whose branches have come and gone.
task<executor> after_others(green_thread& me, int depth) {
  const frame here{me, "truth::after_others"};
  co_await (cancelled_soon(true) || cancelled_soon(false));
  try {
    co_await (cancelled_soon(true) && cancelled_soon(true));
  } catch (const std::exception&) {
  }
  co_await grow(here.at(me), depth);
}

task<executor> grow(green_thread& me, int depth) {
  const frame here{me, "truth::grow"};
  if (depth == 0) {
    co_await leaf(here.at(me));
    co_return;
  }
  switch (me.any(6)) {
    case 0:
      co_await both(here.at(me), depth - 1);
      break;
    case 1:
      co_await either(here.at(me), depth - 1);
      break;
    case 2:
      co_await group(here.at(me), depth - 1);
      break;
    case 3:
      co_await group_of_timers(here.at(me));
      break;
    case 4:
      co_await spawned(here.at(me), depth - 1);
      break;
    default:
      co_await after_others(here.at(me), depth - 1);
  }
}

}  // namespace

void start_groups(int count) {
  run_until_parked(1, [&] {
    for (int i = 0; i < count; ++i) {
      green_thread& me = new_green_thread("coroutine", "tree");
      asio::co_spawn(loop(), branch(me, me.any(4)), asio::detached);
    }
  });
}

}  // namespace truth
