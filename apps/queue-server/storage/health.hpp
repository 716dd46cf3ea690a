// Whether the storage works, as its last operations showed, and how busy it is. Any thread reads
// and writes; nobody waits for the storage.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace queue_server {

enum class engine_use;

class storage_health final {
 public:
  struct fault {
    std::string what;
    std::chrono::steady_clock::time_point since;
    std::uint64_t times = 0;
  };

  explicit storage_health(std::function<void(const std::string&)> tell) : tell_(std::move(tell)) {}

  void failed(engine_use use, const char* what);
  void worked(engine_use use);

  // The fault there is now, of writing before one of reading.
  [[nodiscard]] std::optional<fault> now() const;
  [[nodiscard]] bool writes_fail() const noexcept { return writes_fail_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }

  // What the report shows.
  std::atomic<std::uint64_t> waiting_writes = 0;
  std::atomic<std::uint64_t> waiting_reads = 0;
  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::int64_t> last_commit_us = 0;  // how long the latest batch took, in microseconds
  std::atomic<std::int64_t> longest_commit_us = 0;  // and the slowest so far
  std::atomic<std::uint64_t> swept = 0;             // rows that had expired or were deleted

 private:
  [[nodiscard]] std::optional<fault>& of(engine_use use);

  const std::function<void(const std::string&)> tell_;
  mutable std::mutex mutex_;
  std::optional<fault> reading_;
  std::optional<fault> writing_;
  std::atomic<bool> reads_fail_ = false;
  std::atomic<bool> writes_fail_ = false;
  std::atomic<std::uint64_t> faults_ = 0;
};

}  // namespace queue_server
