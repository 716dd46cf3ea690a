// The reporter's thread, an io_context of a service on another, and waiting for conditions.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reporter/own_thread.hpp"
#include "reporter/trigger_reader.hpp"
#include "support/scratch_directory.hpp"

namespace gmr::triggers::test {

using gmr::test::scratch_directory;

class running_context {
 public:
  running_context() : thread_([this] { context_.run(); }) {}
  ~running_context() {
    guard_.reset();
    context_.stop();
    thread_.join();
  }
  boost::asio::any_io_executor executor() { return context_.get_executor(); }
  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::thread thread_;
};

// The reporter's thread, running.
class running_thread {
 public:
  running_thread() { thread_.start({}); }
  own_thread& get() { return thread_; }
  event_loop& loop() { return thread_.loop(); }

 private:
  own_thread thread_;
};

// A trigger that the thread sees to.
class watched {
 public:
  watched(running_thread& by, std::shared_ptr<trigger> what, trigger_reader::request_report request)
      : reader_(std::make_shared<trigger_reader>(std::move(what), std::move(request))) {
    by.get().add(reader_);
  }
  ~watched() { reader_->stop(); }
  watched(const watched&) = delete;
  watched& operator=(const watched&) = delete;

 private:
  std::shared_ptr<trigger_reader> reader_;
};

// What was asked for.
class record {
 public:
  void add(const std::string& entry) {
    const std::lock_guard lock{mutex_};
    entries_.push_back(entry);
  }
  std::vector<std::string> entries() const {
    const std::lock_guard lock{mutex_};
    return entries_;
  }
  std::size_t size() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> entries_;
};

inline bool eventually(const std::function<bool()>& holds,
                       std::chrono::milliseconds patience = std::chrono::seconds{20}) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

}  // namespace gmr::triggers::test
