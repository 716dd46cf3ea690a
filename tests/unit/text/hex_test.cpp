#include "text/hex.hpp"

#include <gtest/gtest.h>

#include <array>

namespace gmr::texts {
namespace {

TEST(Hex, NumbersHaveAPrefixAndNoLeadingZeros) {
  EXPECT_EQ(hex(0), "0x0");
  EXPECT_EQ(hex(0x7f12), "0x7f12");
  EXPECT_EQ(hex(UINT64_MAX), "0xffffffffffffffff");
}

TEST(Hex, DigitsAreFilledUp) {
  std::string out = "\\x";
  append_hex_digits(out, 7, 2);
  EXPECT_EQ(out, "\\x07");
  append_hex_digits(out, 0x123, 2);
  EXPECT_EQ(out, "\\x07123");
}

TEST(Hex, BytesAreTwoDigitsEach) {
  constexpr std::array bytes{std::byte{0}, std::byte{0x0f}, std::byte{0xa1}};
  EXPECT_EQ(hex_digits(bytes), "000fa1");
  EXPECT_EQ(hex_digits({}), "");
}

}  // namespace
}  // namespace gmr::texts
