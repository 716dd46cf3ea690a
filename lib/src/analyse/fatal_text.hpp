// What is to be said of a fatal error, in words, without allocating.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "os/fatal_errors.hpp"

namespace gmr::analyse {

// Async-signal-safe.
class fatal_text final {
 public:
  // "SIGSEGV at 0x8 (nothing is mapped there)"
  [[nodiscard]] static fatal_text of_error(const os::fatal_error& error) noexcept;
  // "fatal error: SIGSEGV at 0x8 (nothing is mapped there) in thread 812"; of an exception its type
  // as the compiler writes it, and its text unless that may hold a secret.
  [[nodiscard]] static fatal_text of_cause(const os::fatal_error& error) noexcept;

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  void add(std::string_view part) noexcept;
  void add_number(std::uint64_t number, int base = 10) noexcept;
  void add_error(const os::fatal_error& error) noexcept;
  void add_exception(const os::fatal_error& error) noexcept;

  std::array<char, 1024> bytes_{};
  std::size_t size_ = 0;
};

// Whether the thread has used up its stack, or that of the fiber it runs: it has touched what lies
// below it. Async-signal-safe.
[[nodiscard]] bool is_stack_overflow(const os::fatal_error& error) noexcept;

}  // namespace gmr::analyse
