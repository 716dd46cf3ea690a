// A process that has as many files open as it may have.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace gmr::test {

// For ever: only in a child process.
inline void use_up_descriptors() {
  rlimit some{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &some), 0);
  some.rlim_cur = 128;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &some), 0);
  while (::dup(STDIN_FILENO) >= 0) {
  }
}

}  // namespace gmr::test
