#include "capture/fill_snapshot.hpp"

#include <algorithm>

namespace gmr::capture {

void fill(thread_snapshot& thread, const capture_slot& slot) {
  thread.runs = slot.runs;
  stack_snapshot& stack = thread.stack;
  std::copy(std::begin(slot.registers), std::end(slot.registers), stack.registers.values.begin());
  stack.truncated = slot.truncated;
  for (std::size_t i = 0; i < stack.parts.size(); ++i)
    stack.parts[i] = {slot.parts[i].address,
                      {slot.memory + slot.parts[i].offset, slot.parts[i].size}};
  stack.walk_broke_off = slot.walk_broke_off;
  if (slot.walked == 0) return;
  const auto* const counters = reinterpret_cast<const std::uintptr_t*>(slot.memory);
  stack.walked.assign(counters, counters + slot.walked);
}

bool introduce(thread_snapshot& thread, const std::string& name, char state) {
  thread.name = name;
  thread.state = state;
  return state != 'Z' && state != 'X';
}

void add_note(thread_snapshot& thread, std::string_view text) {
  if (!thread.note.empty()) thread.note += "; ";
  thread.note += text;
}

}  // namespace gmr::capture
