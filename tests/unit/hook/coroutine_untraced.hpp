// Coroutines of a unit that is compiled without tracing.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>

namespace gmr::test {

using coroutine = std::function<boost::asio::awaitable<void>()>;

// Awaits `child`, and then the timer, when there is one.
boost::asio::awaitable<void> untraced(coroutine child, boost::asio::steady_timer* timer);

// Spawned by code without tracing.
void spawn_untraced(boost::asio::io_context& io, coroutine root);

}  // namespace gmr::test
