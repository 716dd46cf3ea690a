#include "untraced.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>

namespace truth {

namespace asio = boost::asio;

asio::awaitable<void> await_untraced(std::function<asio::awaitable<void>()> child) {
  co_await child();
}

asio::awaitable<void> wait_untraced() {
  auto& timer = *new asio::steady_timer{co_await asio::this_coro::executor, std::chrono::hours{24}};
  co_await timer.async_wait(asio::as_tuple(asio::deferred));
}

}  // namespace truth
