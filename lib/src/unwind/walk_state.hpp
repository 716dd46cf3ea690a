// Registers during a walk, and which of them are known.
#pragma once

#include <cstdint>

#include "capture/registers.hpp"
#include "unwind/row.hpp"

namespace gmr::unwind {

struct walk_state {
  capture::register_set registers;
  std::uint64_t known = 0;  // bit n: register n

  [[nodiscard]] bool knows(unsigned number) const noexcept {
    return number < capture::register_count && ((known >> number) & 1U) != 0;
  }
  [[nodiscard]] std::uintptr_t operator[](unsigned number) const noexcept {
    return registers.values[number];
  }
  void set(unsigned number, std::uintptr_t value) noexcept {
    registers.values[number] = value;
    known |= std::uint64_t{1} << number;
  }
  void forget(unsigned number) noexcept { known &= ~(std::uint64_t{1} << number); }
};

inline constexpr std::uint64_t all_registers = (std::uint64_t{1} << capture::register_count) - 1;

inline constexpr std::uint64_t registers_after_call = [] {
  std::uint64_t mask =
      (std::uint64_t{1} << capture::sp_register) | (std::uint64_t{1} << capture::pc_register);
  for (const unsigned number : preserved_registers)
    mask |= std::uint64_t{1} << number;
  return mask;
}();

}  // namespace gmr::unwind
