// How much of a stack the kernel really takes to call a handler.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>

namespace gmr::capture::testing {

inline volatile std::uintptr_t handler_frame = 0;

// The size of the smallest alternate stack on which the kernel's frame fits, with `more` bytes
// left. AT_MINSIGSTKSZ does not tell: where processors have AMX it is several times what a thread
// needs that does not use it.
inline std::size_t tight_alternate_stack(std::size_t more) {
  alignas(16) static std::array<std::byte, 64 * 1024> room;
  stack_t before{};
  stack_t large{};
  large.ss_sp = room.data();
  large.ss_size = room.size();
  EXPECT_EQ(sigaltstack(&large, &before), 0);
  struct sigaction action_before{};
  struct sigaction action{};
  action.sa_handler = [](int) {
    handler_frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  };
  action.sa_flags = SA_ONSTACK;
  EXPECT_EQ(sigaction(SIGURG, &action, &action_before), 0);
  raise(SIGURG);
  sigaction(SIGURG, &action_before, nullptr);
  sigaltstack(&before, nullptr);
  const std::size_t taken =
      reinterpret_cast<std::uintptr_t>(room.data()) + room.size() - handler_frame;
  constexpr std::size_t smallest = 2048;  // that there may be
  return std::max(smallest, (taken + more + 15) / 16 * 16);
}

}  // namespace gmr::capture::testing
