#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "hostile_stack.hpp"

namespace {

TEST(HostileStack, NeverHarmsTheUnwinder) {
  gmr::test::hostile_stack stack;
  // NOLINTNEXTLINE(cert-msc32-c, cert-msc51-cpp): the same stacks every time
  std::mt19937_64 random{20240229};
  std::vector<std::uint8_t> input;
  for (int round = 0; round < 3000; ++round) {
    input.resize(random() % 4096);
    for (std::uint8_t& byte : input)
      byte = static_cast<std::uint8_t>(random());
    // Mostly code addresses: random words end a walk at once.
    if (round % 2 == 0) {
      for (std::size_t at = 2; at < input.size(); at += 8)
        input[at] = static_cast<std::uint8_t>((random() & 0xfcU) | 1U);
    }
    stack.unwind(input);
  }
}

TEST(HostileStack, ACycleOfFramePointersEnds) {
  gmr::test::hostile_stack stack;
  // Every word is code or points back into the stack.
  std::vector<std::uint8_t> input(2 + 8 * 2000);
  for (std::size_t at = 2; at + 8 <= input.size(); at += 8) {
    input[at] = (at / 8) % 2 == 0 ? 2 : 1;
    input[at + 1] = static_cast<std::uint8_t>(at % 7 * 8);
  }
  for (int flags = 0; flags < 256; ++flags) {
    input[0] = static_cast<std::uint8_t>(flags);
    input[1] = 255;
    stack.unwind(input);
  }
}

}  // namespace
