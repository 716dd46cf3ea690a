// What tracing of coroutines needs of Asio's insides: the only header that names what is in
// boost::asio::detail. Each thing it relies on is checked here when a program is compiled, so that
// a Boost in which it is different is an error with a reason, never a coroutine that is missing or
// wrong in a report.
//
// Nothing here is for users: the names are stable only within one release.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/asio/awaitable.hpp>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "gmr/detail/hook/boost_support.hpp"

static_assert(GMR_TRACES_COROUTINES, GMR_CANT_TRACE_COROUTINES(GMR_COROUTINES_PROBLEM));

// Asio may have a namespace with its version in it, inline in its own: in Boost 1.92 and later,
// with BOOST_ASIO_ENABLE_VERSION_NAMESPACE. What is declared here has to be in it, too.
#if !defined(BOOST_ASIO_INLINE_NAMESPACE_BEGIN)
#define BOOST_ASIO_INLINE_NAMESPACE_BEGIN
#define BOOST_ASIO_INLINE_NAMESPACE_END
#define GMR_DEFINED_INLINE_NAMESPACE
#endif

namespace boost::asio {
BOOST_ASIO_INLINE_NAMESPACE_BEGIN

template <typename Executor>
struct use_awaitable_t;

namespace detail {
template <typename T, typename Executor>
class awaitable_as_function;

// awaitable and awaitable_thread are friends: the way to the frame that an awaitable holds.
template <>
class awaitable_thread<struct gmr_frame_access> {
 public:
  template <typename T, typename Executor>
  static awaitable_frame<T, Executor>* frame_of(const awaitable<T, Executor>& a) noexcept {
    return a.frame_;
  }
};
}  // namespace detail

BOOST_ASIO_INLINE_NAMESPACE_END
}  // namespace boost::asio

#if defined(GMR_DEFINED_INLINE_NAMESPACE)
#undef BOOST_ASIO_INLINE_NAMESPACE_BEGIN
#undef BOOST_ASIO_INLINE_NAMESPACE_END
#undef GMR_DEFINED_INLINE_NAMESPACE
#endif

namespace gmr::trace {

namespace asio = boost::asio;

using asio_entry_point = asio::detail::awaitable_thread_entry_point;

template <typename Executor>
using asio_frame_base = asio::detail::awaitable_frame_base<Executor>;
template <typename T, typename Executor>
using asio_frame = asio::detail::awaitable_frame<T, Executor>;

// Where in a coroutine's frame its promise is: after two pointers, if it is not over-aligned.
inline constexpr std::size_t coroutine_promise_offset = 2 * sizeof(void*);

template <typename T, typename Executor>
struct is_traceable_coroutine
    : std::bool_constant<alignof(asio_frame<T, Executor>) <= coroutine_promise_offset> {};

// The promise of the coroutine that an awaitable stands for; nullptr after it was moved from.
template <typename T, typename Executor>
asio_frame<T, Executor>* frame_of(const asio::awaitable<T, Executor>& awaitable) noexcept {
  return asio::detail::awaitable_thread<asio::detail::gmr_frame_access>::frame_of(awaitable);
}

// Asio has pointers to the base of a promise; the frame around it begins at a fixed distance.
template <typename T, typename Executor>
consteval bool check_asio_frame() noexcept {
  static_assert(std::derived_from<asio_frame<T, Executor>, asio_frame_base<Executor>>,
                GMR_CANT_TRACE_COROUTINES("its promises have no common base"));
  static_assert(!std::is_polymorphic_v<asio_frame<T, Executor>>,
                GMR_CANT_TRACE_COROUTINES("its promises have virtual functions"));
  return true;
}

template <typename F, typename Executor>
inline constexpr bool is_spawned_awaitable = false;
template <typename T, typename Executor>
inline constexpr bool
    is_spawned_awaitable<asio::detail::awaitable_as_function<T, Executor>, Executor> = true;

// co_spawn was given a coroutine that has been called, but has not run: its promise. nullptr for
// any other function that was spawned.
template <typename Executor, typename F>
const asio_frame_base<Executor>* spawned_frame(const F& function) noexcept {
  if constexpr (is_spawned_awaitable<F, Executor>) {
    const asio_frame_base<Executor>* frame = nullptr;
    static_assert(
        sizeof(function) == sizeof(frame),
        GMR_CANT_TRACE_COROUTINES("what co_spawn keeps of a coroutine is no single pointer"));
    std::memcpy(&frame, static_cast<const void*>(&function), sizeof(frame));
    return frame;
  } else {
    return nullptr;
  }
}

// The same of the arguments of Asio's entry point. Boost 1.81 and 1.82: an awaitable's type, the
// executor, the function and the handler; later ones: an awaitable's type, and a state that has the
// function in it.
template <typename Executor, typename... Arguments>
struct entry_point_arguments {
  static constexpr bool known = false;
};
template <typename Executor, typename Awaitable, typename F, typename Handler>
struct entry_point_arguments<Executor, Awaitable*, Executor, F, Handler> {
  static constexpr bool known = true;
  static const asio_frame_base<Executor>* spawned(const Awaitable*, const Executor&,
                                                  const F& function, const Handler&) noexcept {
    return spawned_frame<Executor>(function);
  }
};
template <typename Executor, typename Awaitable, typename State>
  requires requires(const State& state) { state.function; }
struct entry_point_arguments<Executor, Awaitable*, State> {
  static constexpr bool known = true;
  static const asio_frame_base<Executor>* spawned(const Awaitable*, const State& state) noexcept {
    return spawned_frame<Executor>(state.function);
  }
};

}  // namespace gmr::trace
