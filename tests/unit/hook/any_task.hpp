// Coroutines of a type of the program's own, for tests of gmr::traced_promise.
#pragma once

#include <coroutine>
#include <exception>
#include <utility>
#include <vector>

#include "gmr/trace/traced_promise.hpp"

namespace gmr::test {

// A lazy task with a value: it runs when it is awaited or started, and goes on with who awaits it.
struct task {
  struct plain_promise {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    int value = 0;
    std::exception_ptr failure;

    task get_return_object() { return task{handle::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct back {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(handle self) noexcept {
          return self.promise().continuation;
        }
        void await_resume() noexcept {}
      };
      return back{};
    }
    void return_value(int result) { value = result; }
    void unhandled_exception() { failure = std::current_exception(); }
  };
  using promise_type = traced_promise<plain_promise>;
  using handle = std::coroutine_handle<plain_promise>;

  explicit task(handle of) : coroutine(of) {}
  task(task&& other) noexcept : coroutine(std::exchange(other.coroutine, {})) {}
  task& operator=(task&&) = delete;
  ~task() {
    if (coroutine) coroutine.destroy();
  }
  void start() { coroutine.resume(); }
  [[nodiscard]] int result() const { return coroutine.promise().value; }

  auto operator co_await() && {
    struct awaiter {
      handle awaited;
      bool await_ready() { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> self) {
        awaited.promise().continuation = self;
        return awaited;
      }
      int await_resume() {
        if (awaited.promise().failure) std::rethrow_exception(awaited.promise().failure);
        return awaited.promise().value;
      }
    };
    return awaiter{coroutine};
  }

  handle coroutine;
};

// Waits until it is set.
struct event {
  std::vector<std::coroutine_handle<>> waiting;
  bool is_set = false;

  bool await_ready() const noexcept { return is_set; }
  void await_suspend(std::coroutine_handle<> self) { waiting.push_back(self); }
  void await_resume() const noexcept {}
  void set() {
    is_set = true;
    for (const auto each : std::exchange(waiting, {}))
      each.resume();
  }
};

}  // namespace gmr::test
