// What a system call alone does not tell of a wait, but the functions that led to it do.
#include <algorithm>
#include <array>
#include <string_view>

#include "analyse/threads.hpp"

namespace gmr::analyse {
namespace {

// Asio's own mutex, in Boost 1.92 and later: one word, which is changed by those who hold it.
bool is_asio_mutex(std::string_view function) noexcept {
  constexpr std::array<std::string_view, 2> mutexes{"boost::asio::detail::futex_slim_mutex::",
                                                    "boost::asio::detail::atomic_slim_mutex::"};
  const std::string_view name = function.substr(0, function.find_first_of("<("));
  return std::ranges::any_of(mutexes, [&](auto each) { return name.find(each) != name.npos; });
}

}  // namespace

void name_wait(thread_info& thread) {
  if (!thread.waits_for || !thread.waits_for->address) return;
  for (const frame* each : thread.stack.frames) {
    if (!each->internal) return;  // what the program's own functions wait for is theirs
    if (!is_asio_mutex(each->function_full)) continue;
    thread.waits_for->kind = wait_kind::asio_mutex;
    thread.waits_for->owner.reset();  // what lies behind that word is no owner
    thread.waits_for->peer.clear();
    return;
  }
}

}  // namespace gmr::analyse
