#include "coroutine_untraced.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <utility>

namespace gmr::test {

namespace asio = boost::asio;

asio::awaitable<void> untraced(coroutine child, asio::steady_timer* timer) {
  if (child) co_await child();
  if (timer != nullptr) co_await timer->async_wait(asio::as_tuple(asio::deferred));
}

void spawn_untraced(asio::io_context& io, coroutine root) {
  // A type of this unit's own: the linker takes one instantiation of a template for the program.
  struct ignore {
    void operator()(std::exception_ptr) const {}
  };
  asio::co_spawn(io, std::move(root), ignore{});
}

}  // namespace gmr::test
