#include "analyse/entry_frames.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "analyse/finding_text.hpp"

namespace gmr::analyse {
namespace {

bool is_way_into_kernel(const frame& at) {
  constexpr std::array<std::string_view, 3> names{"__syscall_cancel_arch",
                                                  "__internal_syscall_cancel", "__syscall_cancel"};
  if (at.function.empty()) return is_c_library(at);
  return std::find(names.begin(), names.end(), at.function) != names.end();
}

}  // namespace

void begin_with_call(stack& blocked) {
  auto& frames = blocked.frames;
  const auto call = std::find_if_not(frames.begin(), frames.end(),
                                     [](const frame* each) { return is_way_into_kernel(*each); });
  if (call == frames.begin() || call == frames.end()) return;
  // In a program that was linked statically the names tell; pthread_join leaves its own frame, so
  // that std::thread::join follows.
  const bool told_by_name = !(*std::prev(call))->function.empty();
  if (told_by_name || is_c_library(**call) || (*call)->internal) frames.erase(frames.begin(), call);
}

}  // namespace gmr::analyse
