// Coroutines with executors of other types than the default one.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gmr/trace/label.hpp>

#include "awaitables.hpp"
#include "loop.hpp"
#include "programs.hpp"

namespace truth {
namespace {

// An executor as a program may have its own: it wraps another one.
template <class Inner>
class own_executor {
 public:
  explicit own_executor(Inner inner) noexcept : inner_(std::move(inner)) {}

  template <class Property>
    requires asio::can_query_v<const Inner&, Property>
  auto query(const Property& property) const noexcept {
    return asio::query(inner_, property);
  }
  asio::execution_context& query(asio::execution::context_t property) const noexcept {
    return asio::query(inner_, property);
  }
  template <class Property>
    requires asio::can_require_v<const Inner&, Property>
  auto require(const Property& property) const {
    return own_executor<std::decay_t<decltype(asio::require(inner_, property))>>{
        asio::require(inner_, property)};
  }
  template <class Property>
    requires asio::can_prefer_v<const Inner&, Property>
  auto prefer(const Property& property) const {
    return own_executor<std::decay_t<decltype(asio::prefer(inner_, property))>>{
        asio::prefer(inner_, property)};
  }
  template <class Function>
  void execute(Function&& function) const {
    inner_.execute(std::forward<Function>(function));
  }
  friend bool operator==(const own_executor& one, const own_executor& other) noexcept {
    return one.inner_ == other.inner_;
  }
  friend bool operator!=(const own_executor& one, const own_executor& other) noexcept {
    return !(one == other);
  }

 private:
  Inner inner_;
};

using plain_executor = asio::io_context::executor_type;

}  // namespace

template <class Executor>
task<Executor> wait(green_thread& me) {
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
    co_await timer.async_wait(here.at(asio::use_awaitable_t<Executor>{}));
  else
    co_await timer.async_wait(asio::as_tuple(here.at(asio::deferred)));
}

namespace {

template <class Executor>
task<Executor> body(green_thread& me) {
  const frame here{me, "truth::body"};
  gmr::set_name(me.name);
  co_await descend_on<Executor>(here.at(me));
}

template <class Executor>
void spawn(const Executor& executor, const char* what) {
  green_thread& me = new_green_thread("coroutine", what);
  asio::co_spawn(executor, body<Executor>(me), asio::detached);
}

void spawn_any() {
  const plain_executor own = loop().get_executor();
  spawn(own, "executor of an io_context");
  spawn(asio::make_strand(own), "executor of a strand");
  spawn(own_executor<plain_executor>{own}, "executor of its own");
}

}  // namespace

void start_executors(int count) {
  run_until_parked(1, [&] {
    for (int i = 0; i < count / 3; ++i)
      spawn_any();
  });
}

}  // namespace truth
