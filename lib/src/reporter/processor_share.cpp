#include "reporter/processor_share.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace gmr {
namespace {

constexpr std::chrono::nanoseconds takes_alone = std::chrono::milliseconds{30};

}  // namespace

processor_share::times processor_share::now() {
  times out;
  timespec used{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) == 0)
    out.used = std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
  if (const auto waiting = files_.waiting_seconds(::gettid()))
    out.waiting = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>{*waiting});
  return out;
}

void processor_share::begin() {
  begin_ = now();
}

std::chrono::nanoseconds processor_share::time_to_end(std::chrono::nanoseconds all) {
  const times end = now();
  const auto used = std::max(end.used - begin_.used, std::chrono::nanoseconds{1});
  const auto waited = std::max(end.waiting - begin_.waiting, std::chrono::nanoseconds{0});
  const double longer = 1 + static_cast<double>(waited.count()) / static_cast<double>(used.count());
  const std::chrono::duration<double, std::nano> needed =
      longer * std::chrono::duration<double, std::nano>{takes_alone};
  return std::min(std::chrono::duration_cast<std::chrono::nanoseconds>(needed), all / 3);
}

}  // namespace gmr
