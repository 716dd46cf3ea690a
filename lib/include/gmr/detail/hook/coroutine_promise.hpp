// Promise types that trace asio::awaitable coroutines.
//
// Each derives from the promise that Asio itself would use and adds no data to it: Asio goes on
// treating it as its own, in units compiled with and without tracing alike. See coroutine_node.hpp
// for what is recorded, and asio_internals.hpp for what is relied on.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/asio/awaitable.hpp>
#include <coroutine>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "gmr/detail/hook/asio_internals.hpp"
#include "gmr/detail/hook/asio_units.hpp"
#include "gmr/detail/hook/coroutine_node.hpp"

namespace gmr::trace {

template <typename Executor>
bool is_traced(const asio_frame_base<Executor>* frame) noexcept {
  return coroutine_slots.contains(frame);
}

template <typename Executor>
coroutine_node& node_of(asio_frame_base<Executor>* frame) noexcept {
  return coroutine_node_of(reinterpret_cast<std::byte*>(frame) - coroutine_promise_offset);
}

struct untraced_coroutine;  // the operation that is shown while one runs

// Awaits another coroutine.
template <typename T, typename U, typename Executor>
class coroutine_awaiter final {
 public:
  coroutine_awaiter(asio::awaitable<U, Executor>&& child, coroutine_node& node) noexcept
      : child_(std::move(child)), node_(node) {}

  [[nodiscard]] bool await_ready() const noexcept { return child_.await_ready(); }

  void await_suspend(std::coroutine_handle<> self) {
    if (!is_traced<Executor>(frame_of(child_))) [[unlikely]]
      coroutine_suspended(node_, operation_name<untraced_coroutine>());
    using plain = asio_frame<T, Executor>;
    child_.await_suspend(std::coroutine_handle<plain>::from_address(self.address()));
  }

  U await_resume() {
    coroutine_running(node_);
    return child_.await_resume();
  }

 private:
  asio::awaitable<U, Executor> child_;
  coroutine_node& node_;
};

// What starts an operation, within an initiation_scope. Asio calls it once the coroutine is
// suspended; when it returns, the coroutine and this object may be gone. `Initiation` may be a
// reference.
template <typename Initiation>
class scoped_initiation final {
 public:
  scoped_initiation(Initiation&& initiation, coroutine_node& node) noexcept
      : initiation_(std::forward<Initiation>(initiation)), node_(&node) {}

  [[nodiscard]] coroutine_node& node() const noexcept { return *node_; }

  template <typename Argument>
  auto operator()(Argument&& argument)
      -> decltype(std::declval<Initiation&&>()(std::forward<Argument>(argument))) {
    const initiation_scope scope{*node_};
    return std::forward<Initiation>(initiation_)(std::forward<Argument>(argument));
  }

 private:
  Initiation initiation_;
  coroutine_node* node_;
};

// Awaits an asynchronous operation.
template <typename Operation, typename Initiation, typename Awaiter>
class operation_awaiter final {
 public:
  template <typename Promise>
  operation_awaiter(Promise& promise, Initiation&& awaited, coroutine_node& node)
      : initiation_(std::forward<Initiation>(awaited), node),
        awaiter_(promise.await_transform(std::move(initiation_))) {}
  operation_awaiter(const operation_awaiter&) = delete;  // Asio's refers to the initiation
  operation_awaiter& operator=(const operation_awaiter&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return awaiter_.await_ready(); }

  void await_suspend(std::coroutine_handle<> self) {
    coroutine_suspended(initiation_.node(), operation_name<Operation>());
    awaiter_.await_suspend(self);
  }

  decltype(auto) await_resume() {
    coroutine_running(initiation_.node());
    return awaiter_.await_resume();
  }

 private:
  scoped_initiation<Initiation> initiation_;
  Awaiter awaiter_;
};

template <typename A>
inline constexpr bool is_awaitable = false;
template <typename T, typename Executor>
inline constexpr bool is_awaitable<asio::awaitable<T, Executor>> = true;

// What a coroutine is for: Asio's entry point of a spawned chain; made by use_awaitable for one
// operation; void: a user's.
struct entry_point;
template <typename Initiation, typename... Args>
struct initiated;

template <typename T, typename Executor, typename Role>
class traced_promise : public asio_frame<T, Executor> {
  using base = asio_frame<T, Executor>;
  using frame_base = asio_frame_base<Executor>;
  static_assert(check_asio_frame<T, Executor>());
  static constexpr bool is_entry = std::is_same_v<Role, entry_point>;
  static constexpr bool is_users = std::is_void_v<Role>;
  static constexpr bool is_operation = !is_entry && !is_users;

  template <typename A>
  static constexpr bool is_function = std::is_invocable_v<A&, frame_base*>;

 public:
  traced_promise() noexcept
    requires(!is_entry)
  = default;

  // An entry point is given the function that it will run.
  template <typename... Arguments>
    requires is_entry
  explicit traced_promise(Arguments&... given) noexcept {
    using arguments = entry_point_arguments<Executor, Arguments...>;
    static_assert(arguments::known,
                  GMR_CANT_TRACE_COROUTINES("co_spawn passes its function otherwise"));
    coroutine_born(node());
    remember_spawned(arguments::spawned(given...));
  }

  traced_promise(const traced_promise&) = delete;
  traced_promise& operator=(const traced_promise&) = delete;

  ~traced_promise() {
    if constexpr (is_entry)
      coroutine_died(node());
    else
      coroutine_finished(node());
  }

  static void* operator new(std::size_t size) {
    return is_entry ? allocate_coroutine_entry(size) : allocate_coroutine_frame(size);
  }

  static void operator delete(void* frame, std::size_t size) noexcept {
    is_entry ? free_coroutine_entry(frame, size) : free_coroutine_frame(frame, size);
  }

  asio::awaitable<T, Executor> get_return_object() noexcept {
    auto object = base::get_return_object();
    this->coro_ = std::coroutine_handle<traced_promise>::from_promise(*this);
    // Lets `coro_` escape, so that the frame is always allocated: an elided one has no node.
    asm volatile("" : : "r"(this) : "memory");
    return object;
  }

  // What std::source_location::current() is made of: an argument of that type would stay in the
  // frame, as g++ keeps all temporaries of a co_await there.
  auto initial_suspend(const void* where = __builtin_source_location()) noexcept {
    struct awaiter {
      traced_promise& self;
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<>) const noexcept {}
      void await_resume() const noexcept { self.first_run(); }
    };
    if constexpr (!is_entry) coroutine_at(node(), where);
    return awaiter{*this};
  }

  auto final_suspend() noexcept {
    if constexpr (!is_entry) leave_to_untraced_caller();
    return base::final_suspend();
  }

  template <typename A>
    requires requires(base& plain, A&& a) { plain.await_transform(std::forward<A>(a)); }
  auto await_transform(A&& a, const void* where = __builtin_source_location()) {
    using awaited = std::remove_cvref_t<A>;
    if constexpr (!is_entry) coroutine_at(node(), where);
    if constexpr (is_operation && !is_function<awaited>)
      node().word.store(0, std::memory_order_release);  // a user's, after all
    auto& plain = static_cast<base&>(*this);
    if constexpr (is_awaitable<awaited>) {
      return coroutine_awaiter<T, typename awaited::value_type, Executor>(
          plain.await_transform(std::forward<A>(a)), node());
    } else {
      if constexpr (asio::is_async_operation<A>::value) {
        using scoped = decltype(plain.await_transform(std::declval<scoped_initiation<A&&>>()));
        return operation_awaiter<awaited, A&&, scoped>(plain, std::forward<A>(a), node());
      } else if constexpr (is_function<awaited>) {
        using scoped = decltype(plain.await_transform(std::declval<scoped_initiation<awaited>>()));
        using operation = std::conditional_t<is_users, awaited, Role>;
        return operation_awaiter<operation, awaited, scoped>(plain, std::forward<A>(a), node());
      } else
        return plain.await_transform(std::forward<A>(a));  // this_coro: never suspends
    }
  }

 private:
  coroutine_node& node() noexcept {
    return coroutine_node_of(std::coroutine_handle<traced_promise>::from_promise(*this).address());
  }

  // Asio has linked the frame to its caller. Callers that are not traced are passed over.
  void first_run() noexcept {
    if constexpr (is_entry) {
      coroutine_running(node());
    } else {
      constexpr std::uint64_t role = is_users ? 0 : coroutine_internal;
      frame_base* caller = this->caller_;
      while (caller != nullptr && !is_traced(caller)) [[unlikely]]
        caller = caller->*(&traced_promise::caller_);
      if (caller == nullptr) [[unlikely]]
        adopt_coroutine(node());
      else
        coroutine_joins(node(), node_of(caller),
                        caller == this->caller_ ? role : role | coroutine_untraced_caller);
      if constexpr (is_users) coroutine_running(node());  // others suspend at once
    }
  }

  // The caller goes on unseen from here. Better shown as waiting in code without tracing, which it
  // will do sooner or later, than as running for ever.
  void leave_to_untraced_caller() noexcept {
    coroutine_node* const caller = node().caller.load(std::memory_order_relaxed);
    if ((node().word.load(std::memory_order_relaxed) & coroutine_untraced_caller) != 0 &&
        caller != nullptr) [[unlikely]]
      coroutine_suspended(*caller, operation_name<untraced_coroutine>());
  }

  // A coroutine that has been called, but has not run, knows its function.
  void remember_spawned(const frame_base* spawned) noexcept {
    if (is_traced(spawned))
      node().location.store(
          node_of(const_cast<frame_base*>(spawned)).location.load(std::memory_order_relaxed),
          std::memory_order_release);
  }
};

template <typename T, typename Executor, typename... Args>
struct choose_traced_promise {
  using type = traced_promise<T, Executor, void>;
};

template <typename T, typename Executor, typename Initiation, typename... Args>
struct choose_traced_promise<T, Executor, Initiation, asio::use_awaitable_t<Executor>, Args...> {
  using type = traced_promise<T, Executor, initiated<Initiation, Args...>>;
};

template <typename Executor, typename... Args>
struct choose_traced_promise<asio_entry_point, Executor, Args...> {
  using type = traced_promise<asio_entry_point, Executor, entry_point>;
};

template <typename T, typename Executor, typename... Args>
using traced_promise_for = typename choose_traced_promise<T, Executor, Args...>::type;

}  // namespace gmr::trace
