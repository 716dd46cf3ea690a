// Preloaded as well, takes SIGUSR2 before libgmr_preload.so can.
#include <unistd.h>

#include <csignal>

namespace {

extern "C" void early_handler(int) {
  static_cast<void>(!::write(STDOUT_FILENO, "early\n", 6));
}

[[gnu::constructor]] void take() {
  std::signal(SIGUSR2, early_handler);
}

}  // namespace
