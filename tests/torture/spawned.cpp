// Fibers of asio::spawn: they wait for timers that are cancelled, and for their turn.
#include <atomic>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <chrono>
#include <exception>

#include "descend.hpp"
#include "work.hpp"

namespace torture {

extern std::atomic<bool> stop;

namespace {

namespace asio = boost::asio;

class yield_wait final : public waiting {
 public:
  explicit yield_wait(const asio::yield_context& yield) : yield_(yield) {}
  void wait(traveller& me) override {
    const step here{me, "torture::yield_wait::wait"};
    switch (me.any(3)) {
      case 0:
        return turn(here.at('B', me));
      case 1:
        return timer(here.at('C', me));
      default:
        return cancelled(here.at('D', me));
    }
  }

 private:
  void turn(traveller& me) {
    const step here{me, "torture::yield_wait::turn"};
    here.tell('E', __LINE__ + 1);
    asio::post(yield_);
  }
  void timer(traveller& me) {
    const step here{me, "torture::yield_wait::timer"};
    asio::steady_timer timer{yield_.get_executor(), std::chrono::microseconds{me.any(2000)}};
    here.tell('F', __LINE__ + 1);
    timer.async_wait(yield_);
  }
  void cancelled(traveller& me) {
    const step here{me, "torture::yield_wait::cancelled"};
    asio::steady_timer timer{yield_.get_executor(), std::chrono::hours{1}};
    asio::post(yield_.get_executor(), [&timer] { timer.cancel(); });
    boost::system::error_code error;
    here.tell('G', __LINE__ + 1);
    timer.async_wait(yield_[error]);
  }

  asio::yield_context yield_;
};

template <class Allocator>
void spawn(asio::io_context& io, Allocator allocator) {
  asio::spawn(
      asio::make_strand(io), std::allocator_arg, allocator,
      [](asio::yield_context yield) {
        traveller me;
        const step here{me, "torture::spawn::{lambda}"};
        yield_wait how{yield};
        while (!stop)
          travel(here.at('K', me), how);
      },
      [](const std::exception_ptr&) {});
}

}  // namespace

void spawn_fibers(asio::io_context& io, int count) {
  constexpr std::size_t stack_size = 256 * 1024;
  for (int i = 0; i < count; ++i)
    if (i % 2 == 0)
      spawn(io, boost::context::fixedsize_stack{stack_size});
    else
      spawn(io, boost::context::protected_fixedsize_stack{stack_size});
}

}  // namespace torture
