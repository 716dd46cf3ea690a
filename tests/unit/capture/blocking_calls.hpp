// Every system call that docs/threads.md speaks of, made so that it blocks.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace gmr::capture::testing {

struct blocking_call {
  std::string name;            // as in the documentation
  long number = -1;            // which it is blocked in
  std::function<long()> make;  // returns what the system call does, errno set

  friend std::ostream& operator<<(std::ostream& out, const blocking_call& call) {
    return out << call.name;
  }
};

// Those that a handler interrupts although it has SA_RESTART.
std::vector<blocking_call> never_restarted_calls();
// Others, which go on after it.
std::vector<blocking_call> restarted_calls();

}  // namespace gmr::capture::testing
