// Joins the socket to the queue of requests.
#pragma once

#include <memory>

#include "reporter/report_queue.hpp"
#include "socket/report_source.hpp"
#include "socket/server.hpp"

namespace gmr {

// While it lives, reports can be asked for on the socket. Those go to who asks, and to no sink.
class socket_reports final : public sockets::report_source {
 public:
  socket_reports(std::shared_ptr<report_queue> queue, sockets::server::settings set)
      : queue_(std::move(queue)), server_(std::move(set), *this) {}

  // See sockets::server.
  void start(int capture_signal) { server_.start(capture_signal); }

  [[nodiscard]] std::future<std::shared_ptr<const report>> ask(
      std::string cause, std::optional<report_shape> shape) override {
    return queue_->make_for_socket(std::move(cause), shape);
  }
  [[nodiscard]] report_counters counters() const noexcept override {
    return queue_->statistics().read();
  }

 private:
  std::shared_ptr<report_queue> queue_;
  sockets::server server_;
};

}  // namespace gmr
