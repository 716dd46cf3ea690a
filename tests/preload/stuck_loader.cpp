// A thread that is stuck while it holds the dynamic loader's lock.
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <thread>

namespace {

int stay(dl_phdr_info*, std::size_t, void*) {
  static_cast<void>(!::write(STDOUT_FILENO, "stuck\n", 6));
  for (;;)
    ::pause();
}

}  // namespace

int main() {
  std::thread{[] { ::dl_iterate_phdr(stay, nullptr); }}.join();
}
