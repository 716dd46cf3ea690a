// The explicit form of coroutine tracing: coroutines over an executor type of ours are traced,
// in any program, without gmr::trace. For those who want to keep to the letter of the standard,
// or to choose which coroutines are seen.
//
//   gmr::awaitable<void> session(tcp::socket socket);
//   boost::asio::co_spawn(gmr::traced_executor{io.get_executor()}, session(...), detached);
//
// Inside, co_await asynchronous operations with gmr::use_awaitable or boost::asio::deferred.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

#include "gmr/detail/hook/coroutine_promise.hpp"
#include "gmr/detail/hook/traced_unit.hpp"

namespace gmr {

// Any I/O executor; the type alone makes the difference. Copying never throws. Not final: Asio
// derives from executors to find out what they have.
class traced_executor : public boost::asio::any_io_executor {
 public:
  traced_executor() noexcept = default;

  template <typename Executor>
    requires(!std::derived_from<std::remove_cvref_t<Executor>, traced_executor> &&
             std::convertible_to<Executor, boost::asio::any_io_executor>)
  traced_executor(Executor&& executor)  // NOLINT: converts wherever any_io_executor does
      : any_io_executor(std::forward<Executor>(executor)) {}
};

template <typename T>
using awaitable = boost::asio::awaitable<T, traced_executor>;

inline constexpr boost::asio::use_awaitable_t<traced_executor> use_awaitable;

}  // namespace gmr

// More specialised than what gmr::trace adds: the two go together.
template <typename T, typename... Args>
struct std::coroutine_traits<boost::asio::awaitable<T, gmr::traced_executor>, Args...> {
  using promise_type = gmr::trace::traced_promise_for<T, gmr::traced_executor, Args...>;
};
