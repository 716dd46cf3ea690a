#include "unwind/return_address.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "unwind/process_memory.hpp"

namespace gmr::unwind {

#if defined(__x86_64__)
bool follows_call(std::uintptr_t address) noexcept {
  std::array<std::byte, 7> bytes{};
  if (!read_memory(address - bytes.size(), bytes)) return false;
  const auto before = [&](std::size_t distance) {
    return std::to_integer<unsigned>(bytes[bytes.size() - distance]);
  };
  constexpr unsigned direct = 0xe8;
  constexpr unsigned indirect = 0xff;  // with 2 in the middle of the next byte, and 0 to 5 more
  constexpr std::array<std::size_t, 5> sizes{2, 3, 4, 6, 7};
  return before(5) == direct || std::any_of(sizes.begin(), sizes.end(), [&](std::size_t size) {
           return before(size) == indirect && (before(size - 1) >> 3U & 7U) == 2;
         });
}
#else
bool follows_call(std::uintptr_t) noexcept {
  return true;
}
#endif

}  // namespace gmr::unwind
