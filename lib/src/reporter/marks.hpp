// Asks for a report when the process has come to use more of something than its options say.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gmr/options/options.hpp"
#include "hook/bare_sources.hpp"
#include "trigger/duty.hpp"

namespace gmr {

// One mark: told once when it is passed, and again after it fell below nine tenths of it.
class mark final {
 public:
  explicit mark(std::uint64_t at) noexcept : at_(at) {}  // 0: none

  [[nodiscard]] bool is_set() const noexcept { return at_ != 0; }
  [[nodiscard]] std::uint64_t at() const noexcept { return at_; }
  // Whether to tell that it is passed now.
  [[nodiscard]] bool passes(std::uint64_t amount) noexcept;

 private:
  std::uint64_t at_;
  bool is_passed_ = false;
};

// A duty of the reporter's thread: looks once a second, and more seldom where green threads are so
// many that to count them takes more than a hundredth of that.
class marks final : public duty {
 public:
  using ask = std::function<void(std::string)>;  // the cause without its kind

  marks(const settings& set, ask ask_for_report);
  [[nodiscard]] static bool are_set(const settings& set) noexcept {
    return set.memory_mark != 0 || set.descriptors_mark != 0 || set.green_threads_mark != 0;
  }

  [[nodiscard]] std::optional<clock::time_point> attend(clock::time_point now) override;

 private:
  void look();
  [[nodiscard]] std::uint64_t count_green_threads() noexcept;

  mark memory_;
  mark descriptors_;
  mark green_threads_;
  ask ask_;
  std::unique_ptr<trace::bare_green_thread> one_;  // large
  clock::time_point next_;
};

}  // namespace gmr
