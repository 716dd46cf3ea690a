// Coroutines of any type in reports: the promise type of a task or generator, wrapped.
//
//   struct task {
//     struct plain_promise { ... };  // as it was
//     using promise_type = gmr::traced_promise<plain_promise>;
//   };
//
// For types that are not yours to change, specialise the standard trait where their coroutines are
// written:
//
//   template <typename T, typename... Args>
//   struct std::coroutine_traits<lib::task<T>, Args...> {
//     using promise_type = gmr::traced_promise<typename lib::task<T>::promise_type>;
//   };
//
// Each coroutine that nobody awaits is a green thread: with function, file and line of every
// co_await down to it, what it waits for, since when, and who awaits it. A coroutine that another
// one transfers to as it awaits it (it returns its handle from await_suspend, and has it in the
// awaiter) stands in that one's stack. What an asio::awaitable starts for an operation is `awaited
// by` it, and so the other way round. gmr::set_name and gmr::set_label work within.
//
// The wrapper derives from the promise and adds a pointer; handles of either type lead to the same
// frame. So a promise must not be final nor more aligned than 16 bytes. Frames are kept where a
// report can read them at any moment: an `operator new` of the promise's own is not used, and a
// frame costs 32 bytes more, one at the bottom of a chain 128. A suspension costs a few stores and
// a look at the clock, which allocates nothing and takes no lock. Not seen: a coroutine whose frame
// clang has placed in its caller's, which it does with some that are called and ended by one
// function. As ever with coroutines, one thread at a time runs a chain.
#pragma once

#include "gmr/detail/language.hpp"

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "gmr/detail/hook/any_promise.hpp"

namespace gmr {

template <typename Promise>
class traced_promise : public Promise {
  static_assert(!std::is_final_v<Promise>);
  static_assert(alignof(Promise) <= trace::coroutine_frame_alignment,
                "gmr: promises of that alignment can't be traced");

 public:
  using Promise::Promise;
  traced_promise()
    requires std::default_initializable<Promise>
  = default;
  traced_promise(const traced_promise&) = delete;
  traced_promise& operator=(const traced_promise&) = delete;
  ~traced_promise() { trace::finish_any(gmr_node_); }

  static void* operator new(std::size_t size) { return trace::allocate_any_frame(size); }
  // For promises with get_return_object_on_allocation_failure.
  static void* operator new(std::size_t size, const std::nothrow_t&) noexcept try {
    return trace::allocate_any_frame(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  static void operator delete(void* frame, std::size_t size) noexcept {
    trace::free_coroutine_frame(frame, size);
  }

  auto initial_suspend(const void* gmr_where = __builtin_source_location()) {
    if (gmr_node_ != nullptr) trace::coroutine_at(*gmr_node_, gmr_where);
    using operand = decltype(std::declval<Promise&>().initial_suspend());
    return trace::end_awaiter<Promise, operand, true>{
        gmr_node_, [this]() -> operand { return Promise::initial_suspend(); }};
  }

  auto final_suspend() noexcept {
    trace::end_any(gmr_node_);
    using operand = decltype(std::declval<Promise&>().final_suspend());
    return trace::end_awaiter<Promise, operand, false>{
        gmr_node_, [this]() noexcept -> operand { return Promise::final_suspend(); }};
  }

  template <typename Awaited>
    requires trace::awaits_any<Promise, Awaited>
  auto await_transform(Awaited&& gmr_awaited, const void* gmr_where = __builtin_source_location()) {
    if (gmr_node_ != nullptr) trace::coroutine_at(*gmr_node_, gmr_where);
    using operand = trace::transformed<Promise, Awaited>;
    return trace::any_awaiter<Promise, operand, std::remove_cvref_t<Awaited>>{
        gmr_node_, [&]() -> operand {
          if constexpr (trace::transforms<Promise>)
            return Promise::await_transform(std::forward<Awaited>(gmr_awaited));
          else
            return std::forward<Awaited>(gmr_awaited);
        }};
  }

  template <typename Value>
    requires requires(Promise& plain, Value&& gmr_value) {
      plain.yield_value(std::forward<Value>(gmr_value));
    }
  auto yield_value(Value&& gmr_value, const void* gmr_where = __builtin_source_location()) {
    if (gmr_node_ != nullptr) trace::coroutine_at(*gmr_node_, gmr_where);
    using operand = decltype(std::declval<Promise&>().yield_value(std::declval<Value>()));
    return trace::any_awaiter<Promise, operand, trace::yielded_value>{
        gmr_node_,
        [&]() -> operand { return Promise::yield_value(std::forward<Value>(gmr_value)); }};
  }

 private:
  trace::coroutine_node* const gmr_node_ =
      trace::begin_any(std::coroutine_handle<traced_promise>::from_promise(*this).address());
};

}  // namespace gmr
