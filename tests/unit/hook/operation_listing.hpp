// What green threads wait for, as the capture stage hands it on, copied for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/green_threads.hpp"

namespace gmr::test {

struct listed_wait {
  std::uint64_t id = 0;
  green_thread_kind kind{};
  green_thread_state state{};
  std::string name;
  std::string waits_for;
  std::vector<waiting_operation> operations;
};

// Green threads that wait, without the own stacks of threads.
std::vector<listed_wait> list_waits();

// The only one; fails the test and gives an empty one when there are more or fewer.
listed_wait the_only_wait();

// Operations that no green thread waits for.
std::vector<trace::unowned_operation> unowned_operations();

// What the context with that address has to do; nothing when it has nothing.
std::optional<trace::context_load> load_of(const void* context);

}  // namespace gmr::test
