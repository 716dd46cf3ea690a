// How Boost's switches are told, by bytes that are never run.
#include "hook/fiber/fiber_known_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "hook/fiber/fiber_hook.hpp"

#if defined(__x86_64__)

namespace gmr::test {
namespace {

using bytes = std::vector<unsigned char>;

// In a segment of this program, which is all that is looked at. Not zero, so that the file has it.
std::array<unsigned char, 1024> area = {1};

const bytes landing_pad{0xf3, 0x0f, 0x1e, 0xfa};

void put(std::size_t offset, const bytes& code) {
  std::ranges::copy(code, area.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Over to another place of the area.
bytes jump(std::size_t from, std::size_t to) {
  bytes code{0xe9, 0, 0, 0, 0};
  const auto distance =
      static_cast<std::int32_t>(to) - static_cast<std::int32_t>(from + code.size());
  std::memcpy(&code[1], &distance, sizeof distance);
  return code;
}

bytes joined(bytes first, const bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// The code itself, wherever the function that a program calls goes on.
bytes code_of(const void* function) {
  const auto* at = static_cast<const unsigned char*>(function);
  if (std::equal(landing_pad.begin(), landing_pad.end(), at)) at += landing_pad.size();
  if (*at == 0xe9) {
    std::int32_t distance = 0;
    std::memcpy(&distance, at + 1, sizeof distance);
    at += 5 + distance;
  }
  constexpr std::size_t longest = 128;  // longer than both
  return {at, at + longest};
}

class FiberKnownCode : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(trace::set_up_fiber_hook());
    area.fill(0xcc);
    put(jump_code, code_of(reinterpret_cast<void*>(gmr_original_jump)));
    put(ontop_code, code_of(reinterpret_cast<void*>(gmr_original_ontop)));
  }

  // Whether the switches are known by what stands at these places.
  static bool is_known(std::size_t jump_at, std::size_t ontop_at) {
    return trace::knows_switches(reinterpret_cast<trace::jump_function>(&area[jump_at]),
                                 reinterpret_cast<trace::ontop_function>(&area[ontop_at]));
  }

  static constexpr std::size_t jump_code = 256;
  static constexpr std::size_t ontop_code = 512;
  static constexpr std::size_t stub = 64;
};

TEST_F(FiberKnownCode, IsKnownWhereverItStands) {
  EXPECT_TRUE(is_known(jump_code, ontop_code));
}

TEST_F(FiberKnownCode, IsKnownBehindAJump) {
  put(stub, jump(stub, jump_code));
  EXPECT_TRUE(is_known(stub, ontop_code));
  put(stub, joined(landing_pad, jump(stub + landing_pad.size(), ontop_code)));
  EXPECT_TRUE(is_known(jump_code, stub));
}

TEST_F(FiberKnownCode, IsKnownBehindALandingPad) {
  put(jump_code - landing_pad.size(), landing_pad);
  EXPECT_TRUE(is_known(jump_code - landing_pad.size(), ontop_code));
}

TEST_F(FiberKnownCode, EachByteCounts) {
  for (std::size_t i = 0; i < 100; ++i) {
    ++area[jump_code + i];
    EXPECT_FALSE(is_known(jump_code, ontop_code)) << i;
    --area[jump_code + i];
    ++area[ontop_code + i];
    EXPECT_FALSE(is_known(jump_code, ontop_code)) << i;
    --area[ontop_code + i];
  }
}

TEST_F(FiberKnownCode, IsTheSwitchThatItIsTakenFor) {
  EXPECT_FALSE(is_known(ontop_code, jump_code));
  EXPECT_FALSE(is_known(jump_code, jump_code));
}

// A jump elsewhere, to itself, on to another one, and to where nothing can be read.
TEST_F(FiberKnownCode, IsNotLookedForAnyFurther) {
  put(stub, jump(stub, jump_code + 1));
  EXPECT_FALSE(is_known(stub, ontop_code));
  put(stub, jump(stub, stub));
  EXPECT_FALSE(is_known(stub, ontop_code));
  put(stub, jump(stub, 2 * stub));
  put(2 * stub, jump(2 * stub, jump_code));
  EXPECT_FALSE(is_known(stub, ontop_code));
  put(stub, {0xe9, 0, 0, 0, 0x80});
  EXPECT_FALSE(is_known(stub, ontop_code));
}

TEST_F(FiberKnownCode, IsUnknownWhereNothingCanBeRead) {
  EXPECT_FALSE(trace::knows_switches(nullptr, nullptr));
  int local = 0;  // in no module's segment
  EXPECT_FALSE(trace::knows_switches(reinterpret_cast<trace::jump_function>(&local),
                                     reinterpret_cast<trace::ontop_function>(&local)));
}

}  // namespace
}  // namespace gmr::test

#endif
