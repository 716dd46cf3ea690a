#include "hook/loops/event_loops.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/asio_members.hpp"
#include "hook/library_copies.hpp"
#include "os/memory.hpp"
#include "os/task_files.hpp"
#include "os/threads.hpp"

namespace gmr::trace {
namespace {

using asio_members::key_of_loop;
using asio_members::running_loop;
using asio_members::top_of_loops;

const running_loop* innermost_loop() noexcept {
  return *found(top_of_loops{});
}

// What the calling thread was last found in.
struct this_thread_loop {
  const running_loop* entry = nullptr;
  const void* scheduler = nullptr;
  std::uint32_t change = 0;
  const event_loop_notes* notes = nullptr;
  bool is_ours = false;
};
constinit thread_local this_thread_loop known;

// Whether the thread is still within the loop: its note has not been written over, and its stack
// goes on below. Of a fiber's stack the latter is not known.
bool is_inside(const loop_thread& thread, const void* scheduler, os::task_files& files) {
  const pid_t tid = thread.tid.load(std::memory_order_acquire);
  const std::uintptr_t entry = thread.entry.load(std::memory_order_relaxed);
  if (tid == 0 || entry == 0 || !os::thread_exists(tid)) return false;
  const auto* const note = reinterpret_cast<const running_loop*>(entry);
  const auto key = reinterpret_cast<std::uintptr_t>(&(note->*found(key_of_loop{})));
  const auto runs = os::read_memory<const void*>(key);
  if (runs != scheduler) return false;
  thread_traits traits;
  if (find_thread(tid, traits) && traits.fiber != 0) return true;
  const auto blocked = files.blocked_in(tid);
  constexpr std::uintptr_t largest_stack = 8 << 20;
  return !blocked || blocked->sp <= entry || blocked->sp - entry > largest_stack;
}

std::vector<pid_t> threads_inside(const event_loop_record& loop, os::task_files& files) {
  std::vector<std::pair<std::uint64_t, pid_t>> found;
  const void* const scheduler = loop.scheduler.load(std::memory_order_acquire);
  for (const loop_thread& each : loop.threads)
    if (is_inside(each, scheduler, files))
      found.emplace_back(each.seen.load(std::memory_order_relaxed),
                         each.tid.load(std::memory_order_relaxed));
  std::ranges::sort(found, std::ranges::greater{});
  std::vector<pid_t> threads;
  for (const auto& [seen, tid] : found)
    if (std::ranges::find(threads, tid) == threads.end()) threads.push_back(tid);
  return threads;
}

event_loop_state state_of(const event_loop_record& loop, std::uint64_t now, os::task_files& files) {
  event_loop_state out;
  out.name = name_of(loop);
  out.context = loop.context.load(std::memory_order_relaxed);
  out.threads = threads_inside(loop, files);
  out.is_measured = loop.is_measured.load(std::memory_order_relaxed);
  out.stalled = loop.stalled.load(std::memory_order_relaxed);
  out.queued = loop.queued.load(std::memory_order_relaxed);
  const std::uint64_t posted = loop.posted.load(std::memory_order_acquire);
  // What stood still with the loop is not the loop's delay.
  const std::uint64_t since =
      std::max(posted, notes_of_event_loops().last_standstill.load(std::memory_order_relaxed));
  if (posted != 0 && now > since && !out.threads.empty()) out.delay = now - since;
  out.worst = std::max(loop.worst.load(std::memory_order_relaxed), out.delay);
  return out;
}

}  // namespace

void ignore_loops_of_this_thread() noexcept {
  known.is_ours = true;
}

void note_event_loop() noexcept {
  const running_loop* const entry = innermost_loop();
  if (entry == nullptr || known.is_ours) return;
  boost::asio::detail::thread_context* const scheduler = entry->*found(key_of_loop{});
  if (known.notes == nullptr) known.notes = &notes_of_event_loops();
  const std::uint32_t change = known.notes->changes.load(std::memory_order_acquire);
  if (entry == known.entry && scheduler == known.scheduler && change == known.change) return;
  event_loop_record* const loop = add_event_loop(scheduler);
  known.entry = entry;
  known.scheduler = scheduler;
  known.change = known.notes->changes.load(std::memory_order_acquire);
  if (loop == nullptr) return;
  loop->is_traced.store(true, std::memory_order_relaxed);
  note_loop_thread(*loop, coroutine_now());
}

void note_loop_thread(event_loop_record& loop, std::uint64_t now) noexcept {
  const pid_t self = ::gettid();
  loop_thread* place = &loop.threads.front();
  for (loop_thread& each : loop.threads) {
    const pid_t tid = each.tid.load(std::memory_order_relaxed);
    if (tid == self) {
      place = &each;
      break;
    }
    if (each.seen.load(std::memory_order_relaxed) < place->seen.load(std::memory_order_relaxed))
      place = &each;  // one that is free has never been seen
  }
  place->entry.store(reinterpret_cast<std::uintptr_t>(innermost_loop()), std::memory_order_relaxed);
  place->seen.store(now, std::memory_order_relaxed);
  place->tid.store(self, std::memory_order_release);
}

std::vector<pid_t> threads_of(const event_loop_record& loop) {
  os::task_files files;
  return threads_inside(loop, files);
}

std::vector<event_loop_state> event_loop_states(std::uint64_t now) {
  std::vector<event_loop_state> out;
  os::task_files files;
  for (std::size_t at = 0; at < most_event_loops; ++at) {
    const event_loop_record& loop = event_loop_at(at);
    if (loop.scheduler.load(std::memory_order_acquire) == nullptr || loop.has_ended) continue;
    if (loop.is_traced || loop.watchers != 0) out.push_back(state_of(loop, now, files));
  }
  return out;
}

std::string name_of(const event_loop_record& loop) {
  std::string name;
  for (const std::atomic<char>& each : loop.name) {
    const char letter = each.load(std::memory_order_relaxed);
    if (letter == '\0') break;
    name += letter;
  }
  return name;
}

void set_name(event_loop_record& loop, std::string_view name) noexcept {
  const std::size_t size = std::min(name.size(), loop.name.size());
  for (std::size_t at = 0; at < loop.name.size(); ++at)
    loop.name[at].store(at < size ? name[at] : '\0', std::memory_order_relaxed);
}

}  // namespace gmr::trace
