// Numbers and bytes in base 16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gmr::texts {

// "0x7f...", without leading zeros.
[[nodiscard]] std::string hex(std::uint64_t number);

// At least `least_digits` lower-case digits, and nothing before them.
void append_hex_digits(std::string& out, std::uint64_t number, std::size_t least_digits);

// Two lower-case digits for each byte, as build ids are written.
[[nodiscard]] std::string hex_digits(std::span<const std::byte> bytes);

}  // namespace gmr::texts
