// The parent of the workers: starts them, starts again what dies, stops all.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "workers/spawner.hpp"

namespace queue_server {

class service_log;

class supervisor final {
 public:
  // `all_serve` is called once, when all workers do.
  supervisor(spawner& makes, int workers, std::chrono::seconds shutdown_limit,
             std::function<void()> all_serve, service_log& log);

  // Until SIGTERM or SIGINT came and all workers have ended, or a worker can't be started at all.
  // Returns the exit code.
  [[nodiscard]] int run();

  struct worker {
    pid_t pid = 0;  // 0: there is none at this moment
    bool serves = false;
    std::uint64_t deaths = 0;
    int last_status = 0;  // as wait() gave it
    std::chrono::steady_clock::time_point since;
  };
  // Any thread.
  [[nodiscard]] std::vector<worker> workers() const;

 private:
  void read_states();
  void take_state(const worker_state& state);
  void wait_for_deaths();
  void bury_dead();
  void bury(std::size_t number, int status);
  void start_again(std::size_t number, std::chrono::milliseconds pause);
  void stop(int code);
  void end_when_all_have();
  void look_for_hangups();

  spawner& makes_;
  const std::chrono::seconds shutdown_limit_;
  std::function<void()> all_serve_;
  service_log& log_;
  mutable std::mutex mutex_;  // of workers_
  std::vector<worker> workers_;
  std::vector<std::chrono::milliseconds> pauses_;  // before the next start of each
  boost::asio::io_context loop_{1};
  boost::asio::posix::stream_descriptor states_;
  boost::asio::signal_set children_;
  boost::asio::signal_set stops_;
  boost::asio::steady_timer limit_;
  boost::asio::steady_timer look_;
  worker_state incoming_;
  bool stopping_ = false;
  int code_ = 0;
};

}  // namespace queue_server
