#include "sink/started_with.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace gmr::sinks {
namespace {

bool was_open = true;

[[gnu::constructor]] void look() noexcept {
  was_open = ::fcntl(STDERR_FILENO, F_GETFD) >= 0;
}

}  // namespace

bool started_with_standard_error() noexcept {
  return was_open;
}

}  // namespace gmr::sinks
