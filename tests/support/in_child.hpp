// Tests in a child process.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace gmr::test {

// Fails when `check` does. Threads that wait for each other for ever live in a child process, which
// ends with them.
template <class Check>
void in_child(Check check) {
  const pid_t child = fork();
  if (child == 0) {
    check();
    std::fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "failed in the child";
}

}  // namespace gmr::test
