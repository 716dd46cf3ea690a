#include "capture/capture_losses.hpp"

#include <algorithm>

#include "os/errors.hpp"

namespace gmr::capture {
namespace {

std::string number_of_threads(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " thread" : " threads");
}

std::string note_of_calls(std::size_t count, const char* file, int error) {
  return "what " + number_of_threads(count) + (count == 1 ? " waits" : " wait") +
         " for is not known, so there may be deadlocks that are not seen: /proc/self/task" + file +
         " can't be read (" + os::error_text(error) + ")";
}

}  // namespace

std::vector<std::string> notes_of(const capture_losses& losses,
                                  std::span<const thread_snapshot> threads) {
  std::vector<std::string> notes;
  const auto unknown =
      static_cast<std::size_t>(std::ranges::count_if(threads, [](const thread_snapshot& each) {
        return !each.is_reporter && !each.syscall && each.state != 'R' &&
               each.outcome != capture_outcome::exited;
      }));
  if (unknown != 0 && losses.files != 0)
    notes.push_back(note_of_calls(unknown, "", losses.files));
  else if (unknown != 0 && losses.calls != 0)
    notes.push_back(note_of_calls(unknown, "/TID/syscall", losses.calls));
  if (losses.unasked != 0) {
    const send_answer& said = losses.refused;
    notes.push_back(
        number_of_threads(losses.unasked) +
        " could not be asked for the stack (rt_tgsigqueueinfo: " + os::error_text(said.error) +
        "; tgkill: " + os::error_text(said.plain_error) + ")");
  }
  if (losses.queue_full != 0)
    notes.push_back(number_of_threads(losses.queue_full) +
                    " could not be asked for the stack: too many signals are pending "
                    "(RLIMIT_SIGPENDING)");
  if (losses.uncopied != 0)
    notes.push_back("the stack of " + number_of_threads(losses.uncopied) +
                    " could not be copied: there is no memory for that");
  return notes;
}

}  // namespace gmr::capture
