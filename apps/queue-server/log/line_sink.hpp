// Where the lines of the log go.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace queue_server {

class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // "-": standard output. Throws std::system_error.
  explicit line_sink(std::string path);
  ~line_sink() override;
  line_sink(const line_sink&) = delete;
  line_sink& operator=(const line_sink&) = delete;

  void reopen() noexcept { reopen_ = true; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}
  void open_again() noexcept;

  const std::string path_;
  int file_;
  std::atomic<bool> reopen_ = false;
  std::atomic<std::uint64_t> lost_ = 0;
};

}  // namespace queue_server
