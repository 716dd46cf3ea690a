#include "text/hex.hpp"

#include <charconv>

namespace gmr::texts {

std::string hex(std::uint64_t number) {
  std::string out = "0x";
  append_hex_digits(out, number, 1);
  return out;
}

void append_hex_digits(std::string& out, std::uint64_t number, std::size_t least_digits) {
  char digits[2 * sizeof number];
  const char* const end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  const auto count = static_cast<std::size_t>(end - digits);
  if (count < least_digits) out.append(least_digits - count, '0');
  out.append(static_cast<const char*>(digits), count);
}

std::string hex_digits(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::byte each : bytes)
    append_hex_digits(out, std::to_integer<unsigned>(each), 2);
  return out;
}

}  // namespace gmr::texts
