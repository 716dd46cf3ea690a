// The reporter's own thread, "gmr-reporter", and its io_context.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <initializer_list>
#include <thread>

namespace gmr {

class own_thread final {
 public:
  own_thread() = default;
  ~own_thread();  // as join
  // Signals that others send are blocked on the thread, so that the service's handlers never run on
  // it; `open_signals` (the reporter's own, which must have handlers by now; -1: none) are not.
  // Threads started from it inherit that. `recover` is called there when a handler threw, again
  // and again while it throws itself.
  void start(std::initializer_list<int> open_signals, std::function<void()> recover = {});
  void join() noexcept;  // finishes what runs, drops what waits
  own_thread(const own_thread&) = delete;
  own_thread& operator=(const own_thread&) = delete;

  [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  void run() noexcept;
  void recover() noexcept;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::function<void()> recover_;
  std::thread thread_;
};

}  // namespace gmr
