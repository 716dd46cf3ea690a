// Chains that lead through coroutines of a unit that is not traced, or end in one.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmr/trace/label.hpp>

#include "awaitables.hpp"
#include "loop.hpp"
#include "programs.hpp"
#include "untraced.hpp"

namespace truth {
namespace {

using executor = asio::any_io_executor;

task<executor> through_untraced(green_thread& me, int depth) {
  const frame here{me, "truth::through_untraced"};
  if (depth > 0) {
    const auto child = [&me, depth] { return through_untraced(me, depth - 1); };
    co_await await_untraced(here.at(child));
  } else if (me.any(2) == 0) {
    co_await descend_on<executor>(here.at(me));
  } else {
    me.waits_for = "untraced coroutine";
    here.goes_on_at(__LINE__ + 2);
    count_parked();
    co_await wait_untraced();
  }
}

task<executor> body(green_thread& me) {
  const frame here{me, "truth::body"};
  gmr::set_name(me.name);
  const int depth = me.any(8);
  co_await through_untraced(here.at(me), depth);
}

}  // namespace

void start_mixed(int count) {
  run_until_parked(1, [&] {
    for (int i = 0; i < count; ++i)
      asio::co_spawn(loop(), body(new_green_thread("coroutine", "mixed")), asio::detached);
  });
}

}  // namespace truth
