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

#include "storage/engine/values.hpp"

namespace queue_server {

class storage_error;
enum class engine_use;

class storage_health final {
 public:
  struct fault {
    std::string what;
    std::chrono::steady_clock::time_point since;
    std::uint64_t times = 0;
    bool lasting = false;  // until the server is started again
  };

  explicit storage_health(std::function<void(const std::string&)> tell) : tell_(std::move(tell)) {}

  void failed(engine_use use, const storage_error& problem);
  void worked(engine_use use);

  // The fault there is now, of writing before one of reading.
  [[nodiscard]] std::optional<fault> now() const;
  [[nodiscard]] bool writes_fail() const noexcept { return writes_fail_; }
  [[nodiscard]] bool reads_fail() const noexcept { return reads_fail_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }

  // Of the engine that writes, as it was after its latest commit.
  void set_engine(const engine_state& state);
  [[nodiscard]] engine_state engine() const;

  // What the report shows. Times are in microseconds.
  std::atomic<std::uint64_t> waiting_writes = 0;
  std::atomic<std::uint64_t> waiting_reads = 0;
  std::atomic<std::int64_t> last_wait_us = 0;     // of the latest write, for its turn
  std::atomic<std::int64_t> longest_wait_us = 0;  // of all so far
  std::atomic<std::uint64_t> commits = 0;
  std::atomic<std::int64_t> last_commit_us = 0;     // how long the latest batch took
  std::atomic<std::int64_t> longest_commit_us = 0;  // and the slowest so far
  std::atomic<std::uint64_t> swept = 0;             // rows that had expired or were deleted
  std::atomic<std::uint64_t> looks = 0;  // of the writer at its file, without being asked
  // Since when the writer is at what it does now, as time_since_epoch of the steady clock; 0: idle.
  std::atomic<std::chrono::steady_clock::rep> writing_since = 0;

 private:
  [[nodiscard]] std::optional<fault>& of(engine_use use);

  const std::function<void(const std::string&)> tell_;
  mutable std::mutex mutex_;  // held for a copy of what is below
  std::optional<fault> reading_;
  std::optional<fault> writing_;
  engine_state engine_;
  std::atomic<bool> reads_fail_ = false;
  std::atomic<bool> writes_fail_ = false;
  std::atomic<std::uint64_t> faults_ = 0;
};

}  // namespace queue_server
