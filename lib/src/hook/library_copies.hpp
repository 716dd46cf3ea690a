// Several copies of this library in one process: the executable and its shared libraries, plug-ins
// among them, may each have been linked with the static library. One of them serves: it keeps the
// green threads of all, so that a report has each of them once, whichever copy makes it. In the
// others, what acts on such state calls the serving one.
//
// A copy is found by an ELF note, whatever symbols its module shows. Which one serves is decided
// when the first of them is loaded, before any other initialisation of its module.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gmr/detail/hook/operation_record.hpp"
#include "hook/bare_sources.hpp"
#include "hook/fiber/fiber_switches.h"
#include "hook/loops/event_loops.hpp"
#include "hook/notes/green_thread_notes.hpp"
#include "hook/operations/operation_pool.hpp"
#include "hook/schedulers.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr {
struct scheduler_list;
}

namespace gmr::trace {

// What acts on the state of this very copy. Outside of hook/ nobody calls these: the functions of
// the same names without `own` act on the state of the copy that serves.
namespace own {

void* allocate_coroutine_frame(std::size_t size);
void free_coroutine_frame(void* frame, std::size_t size) noexcept;
void* allocate_coroutine_entry(std::size_t size);
void free_coroutine_entry(void* frame, std::size_t size) noexcept;
// Writes where coroutines are to the range of another copy, as soon as there is a first one.
void share_coroutine_range(coroutine_range& other) noexcept;
void stop_sharing_coroutine_range(const coroutine_range& other) noexcept;
bool copy_coroutine_variables(const void* innermost, std::uint64_t id,
                              std::vector<std::uintptr_t>& words);
this_thread_coroutines& coroutines_of_this_thread() noexcept;

green_thread_notes* allocate_notes(std::uint64_t owner, std::uint64_t parent) noexcept;
void release_notes(green_thread_notes& notes) noexcept;
std::uint64_t refused_notes() noexcept;

scheduler_list& registered_schedulers();
std::uint64_t reserve_green_thread_ids(std::uint64_t count) noexcept;

operation_record* take_common_operation_record() noexcept;
void put_common_operation_records(operation_record& one_more) noexcept;
void thread_serves(const void* context) noexcept;
std::size_t operation_record_count() noexcept;
const operation_record& operation_record_at(std::size_t index) noexcept;
std::uint64_t unrecorded_operations() noexcept;
const serving_thread& serving_thread_at(std::size_t index) noexcept;
std::size_t serving_thread_count() noexcept;
std::atomic<std::uint32_t>* uses_of_descriptors() noexcept;

thread_slot& enroll_thread() noexcept;
thread_slot* slot_of_this_thread() noexcept;
bool find_thread(pid_t tid, thread_traits& traits) noexcept;
bool find_this_thread(thread_traits& traits) noexcept;
thread_slot& thread_slot_at(std::size_t index) noexcept;

void register_bare_source(const bare_source& source) noexcept;
std::array<const bare_source*, most_bare_sources> bare_sources() noexcept;

event_loop_record* add_event_loop(void* scheduler) noexcept;
bool post_probe(event_loop_record& loop, std::uint64_t now) noexcept;
event_loop_record& event_loop_at(std::size_t index) noexcept;
event_loop_notes& notes_of_event_loops() noexcept;

}  // namespace own

// The functions above, as other copies call them.
struct copy_functions {
  decltype(&own::allocate_coroutine_frame) allocate_coroutine_frame;
  decltype(&own::free_coroutine_frame) free_coroutine_frame;
  decltype(&own::allocate_coroutine_entry) allocate_coroutine_entry;
  decltype(&own::free_coroutine_entry) free_coroutine_entry;
  decltype(&own::share_coroutine_range) share_coroutine_range;
  decltype(&own::stop_sharing_coroutine_range) stop_sharing_coroutine_range;
  decltype(&own::copy_coroutine_variables) copy_coroutine_variables;
  decltype(&own::coroutines_of_this_thread) coroutines_of_this_thread;
  decltype(&own::allocate_notes) allocate_notes;
  decltype(&own::release_notes) release_notes;
  decltype(&own::refused_notes) refused_notes;
  decltype(&own::registered_schedulers) registered_schedulers;
  decltype(&own::reserve_green_thread_ids) reserve_green_thread_ids;
  decltype(&own::take_common_operation_record) take_common_operation_record;
  decltype(&own::put_common_operation_records) put_common_operation_records;
  decltype(&own::thread_serves) thread_serves;
  decltype(&own::operation_record_count) operation_record_count;
  decltype(&own::operation_record_at) operation_record_at;
  decltype(&own::unrecorded_operations) unrecorded_operations;
  decltype(&own::serving_thread_at) serving_thread_at;
  decltype(&own::serving_thread_count) serving_thread_count;
  decltype(&own::uses_of_descriptors) uses_of_descriptors;
  decltype(&own::enroll_thread) enroll_thread;
  decltype(&own::slot_of_this_thread) slot_of_this_thread;
  decltype(&own::find_thread) find_thread;
  decltype(&own::find_this_thread) find_this_thread;
  decltype(&own::thread_slot_at) thread_slot_at;
  decltype(&own::register_bare_source) register_bare_source;
  decltype(&own::bare_sources) bare_sources;
  decltype(&own::add_event_loop) add_event_loop;
  decltype(&own::post_probe) post_probe;
  decltype(&own::event_loop_at) event_loop_at;
  decltype(&own::notes_of_event_loops) notes_of_event_loops;
};

// Another number: functions of another copy, or what they take, may be of another kind. To be
// counted up with each change of either.
inline constexpr std::uint32_t copy_interface = 3;

// What a note leads to. Up to `interface` it never changes, so that copies of all versions can tell
// of each other; behind it are what copies of the same interface have for each other.
struct library_copy {
  std::atomic<library_copy*> serving;  // the copy that all use; null until that is decided
  const fiber_switches* switches;      // of this copy's hook; null ones where it has none
  // Of the serving copy: how many have another interface, and keep no green threads therefore.
  std::atomic<std::uint32_t> strangers;
  std::uint32_t interface;
  const copy_functions* functions;
  // Of the serving copy: the process that makes reports, by whichever copy. Not its forked
  // children.
  std::atomic<pid_t> reporting;
};

// This one, and the one that serves.
[[gnu::visibility("hidden")]] extern constinit library_copy this_copy;
[[nodiscard]] library_copy& serving_copy() noexcept;

// Whether this copy keeps what it is asked to keep itself. Otherwise its schedulers are not listed.
[[nodiscard]] bool this_copy_serves() noexcept;

// Whether it is one of the three functions of the hook of any copy. Takes the loader's lock.
[[nodiscard]] bool is_switch_of_a_copy(const void* function) noexcept;

// Has the range, which code that is linked with this copy reads, be that of the copy that serves.
void share_coroutine_range(coroutine_range& other) noexcept;

// What is not seen because copies do not fit together; empty when all is.
[[nodiscard]] std::string_view what_copies_hide() noexcept;

}  // namespace gmr::trace
