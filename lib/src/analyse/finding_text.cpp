#include "analyse/finding_text.hpp"

#include <algorithm>
#include <string_view>

namespace gmr::analyse {
namespace {

const frame* innermost_own(const stack& resolved) {
  const auto& frames = resolved.frames;
  const auto own = std::find_if(frames.begin(), frames.end(), [](const frame* each) {
    return !each->internal && !each->file.empty();
  });
  if (own != frames.end()) return *own;
  return frames.empty() ? nullptr : frames.front();
}

}  // namespace

std::string name_of(const thread_info& thread) {
  return "thread " + std::to_string(thread.id) + " (" + thread.name + ")";
}

bool is_c_library(const frame& at) {
  const std::string_view file = std::string_view{at.module}.substr(at.module.rfind('/') + 1);
  return file.starts_with("libc.so") || file.starts_with("libc-") || file.starts_with("libpthread");
}

std::string place_of(const stack& resolved) {
  const frame* const at = innermost_own(resolved);
  if (at == nullptr || at->function.empty()) return {};
  std::string place = " in " + at->function;
  if (!at->file.empty()) place += " at " + at->file + ':' + std::to_string(at->line);
  return place;
}

}  // namespace gmr::analyse
