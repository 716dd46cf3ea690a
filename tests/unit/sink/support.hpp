// Standard error replaced for a while, and children that write to it.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "support/scratch_directory.hpp"

namespace gmr::sinks::test {

using gmr::test::scratch_directory;

// While it lives, descriptor 2 is what `target` is.
class standard_error_is {
 public:
  explicit standard_error_is(int target) : saved_(::dup(STDERR_FILENO)) {
    ::dup2(target, STDERR_FILENO);
  }
  ~standard_error_is() {
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  standard_error_is(const standard_error_is&) = delete;
  standard_error_is& operator=(const standard_error_is&) = delete;

 private:
  int saved_;
};

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline std::string read_all(int descriptor) {
  std::string out;
  char buffer[65536];
  for (ssize_t got = 0; (got = ::read(descriptor, buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(got));
  return out;
}

// Forks a child that runs `body` and exits with what it returns.
inline pid_t in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

inline int status_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace gmr::sinks::test
