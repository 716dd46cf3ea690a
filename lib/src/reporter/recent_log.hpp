// The last lines that the service has logged, for the next report.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gmr/model/report.hpp"
#include "os/reserved_memory.hpp"

namespace gmr {

// A ring of slots, each with a sequence number: whoever writes waits for nobody, and neither does
// whoever reads. A thread that is stuck while it writes costs its own line. Safe to use from any
// thread; allocates nothing but for `read`.
class recent_log final {
 public:
  static constexpr std::size_t most_lines = 200;
  static constexpr std::size_t longest_line = 1000;  // bytes; the rest is cut off

  void add(std::string_view line,
           std::chrono::system_clock::time_point when = std::chrono::system_clock::now()) noexcept;

  // The lines that are complete, the oldest first, secrets masked.
  [[nodiscard]] std::vector<log_line> read() const;

 private:
  static constexpr std::size_t word = sizeof(std::uint64_t);
  static constexpr std::size_t words = (longest_line + word - 1) / word;

  // `sequence` is 0 while nobody has written, odd while somebody writes, and then twice the line's
  // number.
  struct slot {
    std::atomic<std::uint64_t> sequence{0};
    std::atomic<std::int64_t> when{0};
    std::atomic<std::uint32_t> size{0};
    std::atomic<bool> is_cut{false};
    std::array<std::atomic<std::uint64_t>, words> text{};
  };

  os::reserved_memory<slot> slots_{most_lines};
  std::atomic<std::uint64_t> next_{1};
};

}  // namespace gmr
