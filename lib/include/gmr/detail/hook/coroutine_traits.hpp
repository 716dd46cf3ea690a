// Makes every coroutine that returns an asio::awaitable a traced one, whatever its executor.
//
// Included by the shadow of <boost/asio/awaitable.hpp> that gmr::trace puts in front of the real
// one, so Asio's types are complete here. Specialising a standard trait for somebody else's type is
// outside the letter of the standard; <gmr/trace/traced_executor.hpp> is within it.
#pragma once

#include "gmr/detail/language.hpp"

#include "gmr/detail/hook/boost_support.hpp"

#if !GMR_TRACES_COROUTINES

static_assert(GMR_TRACES_COROUTINES, GMR_CANT_TRACE_COROUTINES(GMR_COROUTINES_PROBLEM));

#else

#include <coroutine>

namespace gmr::trace {

// A frame holds its promise right after two pointers, unless the promise is over-aligned: that
// stays untraced (g++ would not align such a frame anyway).
template <typename T, typename Executor>
struct is_traceable_coroutine;

template <typename T, typename Executor, typename... Args>
struct choose_traced_promise;

}  // namespace gmr::trace

// The constraint makes it more specialised than Asio's own, which is otherwise the same.
template <typename T, typename Executor, typename... Args>
  requires gmr::trace::is_traceable_coroutine<T, Executor>::value
struct std::coroutine_traits<boost::asio::awaitable<T, Executor>, Args...> {
  using promise_type = typename gmr::trace::choose_traced_promise<T, Executor, Args...>::type;
};

// Last: whoever includes it first comes by here in the middle of it, by way of the shadow.
#include "gmr/detail/hook/coroutine_promise.hpp"

#endif
