// From a slot to what the next stages see.
#pragma once

#include <string>
#include <string_view>

#include "capture/capture_slot.hpp"
#include "capture/snapshot.hpp"

namespace gmr::capture {

// The thread's stack, and the fiber it runs; the bytes stay in the slot's memory.
void fill(thread_snapshot& thread, const capture_slot& slot);

// What it is called and does. False when it has ended.
bool introduce(thread_snapshot& thread, const std::string& name, char state);

void add_note(thread_snapshot& thread, std::string_view text);

}  // namespace gmr::capture
