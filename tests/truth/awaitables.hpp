// Chains of coroutines: functions of all shapes that await each other at random. Their executor's
// type is a parameter, since it is one of theirs.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <string>

#include "logical_stack.hpp"

namespace truth {

namespace asio = boost::asio;

struct gave_up_waiting {};

template <class Executor>
using task = asio::awaitable<void, Executor>;

template <class Executor>
task<Executor> descend(green_thread& me, int depth);

// How the innermost coroutine waits; each unit has its own. Returns at once, until it has parked.
template <class Executor>
task<Executor> wait(green_thread& me);
template <>
task<asio::any_io_executor> wait<asio::any_io_executor>(green_thread& me);

template <class Executor>
task<Executor> plain(green_thread& me, int depth) {
  const frame here{me, "truth::plain"};
  co_await descend<Executor>(here.at(me), depth - 1);
}

template <class Executor>
asio::awaitable<std::string, Executor> gives_text(green_thread& me, int depth) {
  const frame here{me, "truth::gives_text"};
  co_await descend<Executor>(here.at(me), depth - 1);
  co_return std::to_string(depth);
}

template <class Executor>
asio::awaitable<int, Executor> adds(green_thread& me, int depth) {
  const frame here{me, "truth::adds"};
  const std::string text = co_await gives_text<Executor>(here.at(me), depth - 1);
  co_await descend<Executor>(here.at(me), depth - 2);
  co_return static_cast<int>(text.size());
}

template <class Executor>
task<Executor> catches(green_thread& me, int depth) {
  const frame here{me, "truth::catches"};
  bool caught = false;
  try {
    co_await descend<Executor>(here.at(me), depth - 1);
  } catch (const gave_up_waiting&) {
    caught = true;
  }
  if (caught) co_await descend<Executor>(here.at(me), depth - 1);
}

template <class Executor>
task<Executor> with_lambda(green_thread& me, int depth) {
  const frame outer{me, "truth::with_lambda"};
  const auto inner = [&me](int left) -> task<Executor> {
    const frame here{me, "truth::with_lambda::{lambda}"};
    co_await descend<Executor>(here.at(me), left);
  };
  co_await inner(outer.at(depth) - 1);
}

struct owner {
  int depth;

  template <class Executor>
  task<Executor> method(green_thread& me) const {
    const frame here{me, "truth::owner::method"};
    co_await descend<Executor>(here.at(me), depth);
  }
};

template <class Executor>
task<Executor> calls_method(green_thread& me, int depth) {
  const frame here{me, "truth::calls_method"};
  const owner one{depth - 1};
  co_await one.method<Executor>(here.at(me));
}

// Many values live across the wait; awaited only after it was made.
template <class Executor>
task<Executor> keeps_much(green_thread& me, int depth) {
  const frame here{me, "truth::keeps_much"};
  int values[200] = {depth};
  auto later = descend<Executor>(me, depth - 1);
  co_await here.at(std::move(later));
  values[me.any(200)] += values[0];
}

// No coroutine itself: it hands on one.
template <class Executor>
task<Executor> hands_on(green_thread& me, int depth) {
  return descend<Executor>(me, depth - 1);
}

template <class Executor>
task<Executor> loops(green_thread& me, int depth) {
  const frame here{me, "truth::loops"};
  for (int i = 1; i <= 3; ++i)
    co_await hands_on<Executor>(here.at(me), depth - i);
}

template <class Executor>
task<Executor> descend(green_thread& me, int depth) {
  const frame here{me, "truth::descend"};
  if (depth <= 0) {
    co_await wait<Executor>(here.at(me));
    co_return;
  }
  switch (me.any(7)) {
    case 0:
      co_await plain<Executor>(here.at(me), depth);
      break;
    case 1:
      static_cast<void>(co_await adds<Executor>(here.at(me), depth));
      break;
    case 2:
      co_await catches<Executor>(here.at(me), depth);
      break;
    case 3:
      co_await with_lambda<Executor>(here.at(me), depth);
      break;
    case 4:
      co_await calls_method<Executor>(here.at(me), depth);
      break;
    case 5:
      co_await keeps_much<Executor>(here.at(me), depth);
      break;
    default:
      co_await loops<Executor>(here.at(me), depth);
  }
}

// Descends until it parks.
template <class Executor>
task<Executor> descend_on(green_thread& me) {
  constexpr int deepest = 25;
  const frame here{me, "truth::descend_on"};
  while (true) {
    const int depth = me.any(deepest);
    try {
      co_await descend<Executor>(here.at(me), depth);
    } catch (const gave_up_waiting&) {
    }
  }
}

inline void perhaps_give_up_waiting(green_thread& me) {
  if (me.any(3) == 0) throw gave_up_waiting{};
}

}  // namespace truth
