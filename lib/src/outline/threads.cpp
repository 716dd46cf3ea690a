#include <algorithm>
#include <map>
#include <tuple>

#include "outline/arrange.hpp"

namespace gmr::outlines {

std::vector<thread_group> group_by_stack(const std::vector<thread_info>& threads) {
  using stack_key = std::tuple<std::vector<const frame*>, bool, std::string>;
  std::vector<thread_group> groups;
  std::map<stack_key, std::size_t> known;
  const auto begin_group = [&groups](const thread_info& first) {
    groups.push_back({.threads = {&first}, .stack = arrange_stack(first.stack)});
  };
  for (const thread_info& each : threads) {
    if (each.stack.frames.empty()) {
      begin_group(each);
      continue;
    }
    const auto [at, is_new] = known.try_emplace(
        stack_key{each.stack.frames, each.stack.truncated, each.stack.note}, groups.size());
    if (is_new)
      begin_group(each);
    else
      groups[at->second].threads.push_back(&each);
  }
  // What all of them say of themselves is not said of the stack again.
  for (thread_group& group : groups) {
    const auto says_it = [&](const thread_info* each) { return each->note == group.stack.note; };
    if (std::ranges::all_of(group.threads, says_it)) group.stack.note.clear();
  }
  return groups;
}

std::vector<thread_outline> arrange_threads(const std::vector<thread_info>& threads) {
  std::vector<thread_outline> out;
  out.reserve(threads.size());
  for (const thread_info& each : threads) {
    thread_outline& made = out.emplace_back();
    made.source = &each;
    if (!each.note.empty()) made.notes.push_back(each.note);
    if (std::string note = note_of(each.stack); !note.empty() && note != each.note)
      made.notes.push_back(std::move(note));
  }
  return out;
}

}  // namespace gmr::outlines
