// Started with standard error closed: the file that gets its number is not written to.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "sink/standard_error.hpp"

int main() {
  const int file = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
  if (file != STDERR_FILENO) {
    std::puts("to be started with descriptor 2 closed, and 0 and 1 open");
    return 2;
  }
  const std::string error = gmr::sinks::write_standard_error({"report\n"}, std::chrono::seconds{1});
  struct stat status{};
  if (::fstat(file, &status) != 0 || status.st_size != 0) {
    std::puts("a report is in the program's file");
    return 1;
  }
  if (error != "standard error was closed when the program was started") {
    std::printf("it said: %s\n", error.c_str());
    return 1;
  }
}
