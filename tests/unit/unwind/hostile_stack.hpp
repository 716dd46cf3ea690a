// Damaged stacks made from arbitrary bytes, for a bounded test and for the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "unwind/unwinder.hpp"

namespace gmr::test {

// Turns bytes into a snapshot whose words are often addresses of code or of the stack itself, walks
// it and checks what must hold for every walk. Aborts when it does not.
class hostile_stack final {
 public:
  hostile_stack();
  void unwind(std::span<const std::uint8_t> input);

 private:
  [[nodiscard]] std::uintptr_t word(std::span<const std::uint8_t> eight) const;

  unwind::unwinder unwinder_{os::read_modules()};
  unwind::raw_stack result_;
  std::vector<std::uintptr_t> code_;  // begins of executable segments
  std::vector<std::uintptr_t> code_size_;
  std::vector<std::byte> memory_;
};

}  // namespace gmr::test
