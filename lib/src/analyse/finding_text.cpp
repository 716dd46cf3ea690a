#include "analyse/finding_text.hpp"

#include <algorithm>
#include <cstdio>

namespace gmr::analyse {
namespace {

// Where every suspended fiber stands.
bool is_switch(const frame& at) {
  return at.function == "jump_fcontext" || at.function == "ontop_fcontext";
}

const frame* innermost_own(const stack& resolved) {
  const auto& frames = resolved.frames;
  const auto own = std::find_if(frames.begin(), frames.end(), [](const frame* each) {
    return !each->internal && !each->file.empty() && !is_switch(*each);
  });
  if (own != frames.end()) return *own;
  return frames.empty() ? nullptr : frames.front();
}

}  // namespace

std::string hexadecimal(std::uint64_t number) {
  char text[2 + 2 * sizeof number + 1];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string name_of(const thread_info& thread) {
  return "thread " + std::to_string(thread.id) + " (" + thread.name + ")";
}

std::string place_of(const stack& resolved) {
  const frame* const at = innermost_own(resolved);
  if (at == nullptr || at->function.empty()) return {};
  std::string place = " in " + at->function;
  if (!at->file.empty()) place += " at " + at->file + ':' + std::to_string(at->line);
  return place;
}

}  // namespace gmr::analyse
