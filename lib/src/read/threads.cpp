// OS threads.
#include <algorithm>
#include <array>

#include "os/task_state.hpp"
#include "read/parts.hpp"

namespace gmr::reading {
namespace {

char state_of(const std::string& word) {
  constexpr std::string_view letters = "RSDTtZXIP";
  const auto at = std::ranges::find(letters, word, os::state_word);
  return at == letters.end() ? '?' : *at;
}

capture_outcome outcome_of(const std::string& word) {
  constexpr std::array all{capture_outcome::ok,           capture_outcome::truncated,
                           capture_outcome::exited,       capture_outcome::signal_blocked,
                           capture_outcome::timeout,      capture_outcome::unreadable,
                           capture_outcome::not_signalled};
  const auto* const at =
      std::ranges::find(all, word, [](capture_outcome each) { return to_string(each); });
  return at == all.end() ? capture_outcome::unreadable : *at;
}

std::optional<cpu_times> cpu_at(const json& object) {
  const json* const content = member(object, "cpu");
  if (content == nullptr) return std::nullopt;
  cpu_times out;
  out.user_seconds = seconds_at(*content, "user_seconds").value_or(0);
  out.system_seconds = seconds_at(*content, "system_seconds").value_or(0);
  out.waiting_seconds = seconds_at(*content, "waiting_seconds").value_or(0);
  out.recent_percent = seconds_at(*content, "recent_percent").value_or(0);
  return out;
}

// Of two notes, the first is of the capture and the second of the stack. One alone is of the stack
// where that was captured.
void set_notes(thread_info& to, std::vector<std::string> notes, std::span<const json> frames,
               stack_reader& stacks) {
  std::string of_stack;
  const bool is_of_stack =
      notes.size() > 1 ||
      (notes.size() == 1 && !frames.empty() &&
       (to.capture == capture_outcome::ok || notes.front() == "outer frames are missing"));
  if (is_of_stack) {
    of_stack = std::move(notes.back());
    notes.pop_back();
  }
  if (!notes.empty()) to.note = std::move(notes.front());
  to.stack = stacks.read(frames, std::move(of_stack));
}

thread_info thread_of(const json& item, stack_reader& stacks) {
  thread_info out;
  out.id = number_at<pid_t>(item, "id").value_or(0);
  out.name = text_at(item, "name");
  out.state = state_of(text_at(item, "state"));
  out.capture = outcome_of(text_at(item, "capture"));
  out.waits_for = wait_at(item);
  out.cpu = cpu_at(item);
  out.runs = number_at<std::uint64_t>(item, "runs");
  out.is_reporter = flag_at(item, "is_reporter");
  set_notes(out, texts_at(item, "notes"), items_at(item, "frames"), stacks);
  return out;
}

}  // namespace

std::vector<thread_info> threads_of(const json& whole, stack_reader& stacks) {
  std::vector<thread_info> out;
  for (const json& each : items_at(whole, "threads"))
    out.push_back(thread_of(each, stacks));
  return out;
}

}  // namespace gmr::reading
