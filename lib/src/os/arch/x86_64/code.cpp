// Tells calls from other instructions, and which system call it is.
#include <algorithm>
#include <cstring>

#include "os/arch/machine.hpp"

namespace gmr::os::arch {

bool ends_with_call(std::span<const std::byte, longest_call> code) noexcept {
  const auto before = [&](std::size_t distance) {
    return std::to_integer<unsigned>(code[code.size() - distance]);
  };
  constexpr unsigned direct = 0xe8;
  constexpr unsigned indirect = 0xff;  // with 2 in the middle of the next byte, and 0 to 5 more
  constexpr std::array<std::size_t, 5> sizes{2, 3, 4, 6, 7};
  return before(5) == direct || std::any_of(sizes.begin(), sizes.end(), [&](std::size_t size) {
           return before(size) == indirect && (before(size - 1) >> 3U & 7U) == 2;
         });
}

bool is_call(std::span<const std::byte, call_bytes> code) noexcept {
  constexpr std::array system_call{std::byte{0x0f}, std::byte{0x05}};
  return std::ranges::equal(code, system_call);
}

long loaded_call(std::span<const std::byte, loading_call_bytes> code) noexcept {
  constexpr std::byte load{0xb8};  // mov $number, %eax
  if (code.front() != load || !is_call(code.last<call_bytes>())) return -1;
  std::int32_t number = 0;
  std::memcpy(&number, code.data() + 1, sizeof number);
  return number;
}

}  // namespace gmr::os::arch
