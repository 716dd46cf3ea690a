// Reads from the copied parts of a stack, and from nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "capture/snapshot.hpp"

namespace gmr::unwind {

class stack_memory final {
 public:
  explicit stack_memory(const capture::stack_snapshot& snapshot) noexcept
      : first_(snapshot.parts[0]), second_(snapshot.parts[1]) {}

  [[nodiscard]] bool read(std::uintptr_t address, std::uintptr_t& value) const noexcept {
    return read_from(first_, address, value) || read_from(second_, address, value);
  }

  // In the uncopied space between the two parts.
  [[nodiscard]] bool in_gap(std::uintptr_t address) const noexcept {
    return !second_.bytes.empty() && address + sizeof(address) > end(first_) &&
           address < second_.address;
  }
  [[nodiscard]] bool empty() const noexcept {
    return first_.bytes.empty() && second_.bytes.empty();
  }
  [[nodiscard]] const capture::stack_copy& outer() const noexcept { return second_; }

 private:
  [[nodiscard]] static std::uintptr_t end(const capture::stack_copy& part) noexcept {
    return part.address + part.bytes.size();
  }
  [[nodiscard]] static bool read_from(const capture::stack_copy& part, std::uintptr_t address,
                                      std::uintptr_t& value) noexcept {
    // Unsigned: an address below the part wraps to a distance beyond its size.
    const std::uintptr_t distance = address - part.address;
    if (part.bytes.size() < sizeof value || distance > part.bytes.size() - sizeof value)
      return false;
    std::memcpy(&value, part.bytes.data() + distance, sizeof value);
    return true;
  }

  capture::stack_copy first_;
  capture::stack_copy second_;
};

}  // namespace gmr::unwind
