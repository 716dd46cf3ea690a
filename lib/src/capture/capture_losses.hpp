// What a capture could not learn of threads, and why: for one note each in the head of a report.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "capture/send_signal.hpp"
#include "capture/snapshot.hpp"

namespace gmr::capture {

// Why threads could not be looked at, as errnos; 0: they could.
struct capture_losses {
  int files = 0;               // their files in /proc/self/task
  int calls = 0;               // only the file with the call that a thread is blocked in
  send_answer refused;         // what was said of a signal
  std::size_t unasked = 0;     // threads that were not asked because of that
  std::size_t queue_full = 0;  // threads that were not asked as too many signals are pending
  std::size_t uncopied = 0;    // threads whose stacks there was no memory to copy
};

// One note for each kind of knowledge that is lost of any of `threads`, with the system's words.
[[nodiscard]] std::vector<std::string> notes_of(const capture_losses& losses,
                                                std::span<const thread_snapshot> threads);

}  // namespace gmr::capture
