// Which copy serves, and the way from the functions that everybody calls to those of that copy.
#include "hook/library_copies.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "hook/coroutine/coroutine_variables.hpp"
#include "os/loader.hpp"

// The hook, where gmr::trace is linked.
extern "C" {
[[gnu::weak, gnu::visibility("hidden")]] void gmr_hook_make();
[[gnu::weak, gnu::visibility("hidden")]] void gmr_hook_jump();
[[gnu::weak, gnu::visibility("hidden")]] void gmr_hook_ontop();
}

constinit gmr::trace::fiber_switches gmr_hook_that_serves{};

namespace gmr::trace {
namespace {

constexpr copy_functions own_functions{
    .allocate_coroutine_frame = own::allocate_coroutine_frame,
    .free_coroutine_frame = own::free_coroutine_frame,
    .allocate_coroutine_entry = own::allocate_coroutine_entry,
    .free_coroutine_entry = own::free_coroutine_entry,
    .share_coroutine_range = own::share_coroutine_range,
    .stop_sharing_coroutine_range = own::stop_sharing_coroutine_range,
    .copy_coroutine_variables = own::copy_coroutine_variables,
    .coroutines_of_this_thread = own::coroutines_of_this_thread,
    .allocate_notes = own::allocate_notes,
    .release_notes = own::release_notes,
    .refused_notes = own::refused_notes,
    .registered_schedulers = own::registered_schedulers,
    .reserve_green_thread_ids = own::reserve_green_thread_ids,
    .take_common_operation_record = own::take_common_operation_record,
    .put_common_operation_records = own::put_common_operation_records,
    .thread_serves = own::thread_serves,
    .operation_record_count = own::operation_record_count,
    .operation_record_at = own::operation_record_at,
    .unrecorded_operations = own::unrecorded_operations,
    .serving_thread_at = own::serving_thread_at,
    .serving_thread_count = own::serving_thread_count,
    .uses_of_descriptors = own::uses_of_descriptors,
    .enroll_thread = own::enroll_thread,
    .slot_of_this_thread = own::slot_of_this_thread,
    .find_thread = own::find_thread,
    .find_this_thread = own::find_this_thread,
    .thread_slot_at = own::thread_slot_at,
    .register_bare_source = own::register_bare_source,
    .bare_sources = own::bare_sources,
    .add_event_loop = own::add_event_loop,
    .post_probe = own::post_probe,
    .event_loop_at = own::event_loop_at,
    .notes_of_event_loops = own::notes_of_event_loops,
};

constinit const fiber_switches own_switches{gmr_hook_make, gmr_hook_jump, gmr_hook_ontop};

// Changed once, before anything else of this module is initialised.
constinit const copy_functions* functions = &own_functions;

}  // namespace

[[gnu::used]] constinit library_copy this_copy{
    .serving = nullptr,
    .switches = &own_switches,
    .strangers = 0,
    .interface = copy_interface,
    .functions = &own_functions,
    .reporting = 0,
};

namespace {

constexpr std::size_t most_copies = 64;
constexpr std::uint32_t note_type = 1;

// The note: how far it is from there to this_copy.
asm(R"(
  .pushsection .note.gmr,"a",%note
  .balign 4
  .long 4
  .long 8
  .long 1
  .asciz "gmr"
  .quad _ZN3gmr5trace9this_copyE - .
  .popsection
)");

library_copy* copy_of(const void* note) noexcept {
  std::int64_t distance = 0;
  std::memcpy(&distance, note, sizeof distance);
  const auto address = reinterpret_cast<std::uintptr_t>(note);
  return reinterpret_cast<library_copy*>(address + static_cast<std::uintptr_t>(distance));
}

// The one that was decided on before; otherwise, in the loader's order, the first one that has a
// hook, which is where the linker puts its switches before those of all others; or just the first.
library_copy& choose(std::span<const void* const> notes) noexcept {
  library_copy* first = nullptr;
  library_copy* hooked = nullptr;
  for (const void* const note : notes) {
    library_copy* const copy = copy_of(note);
    if (library_copy* const serving = copy->serving.load()) return *serving;
    if (copy->interface != copy_interface) continue;
    if (first == nullptr) first = copy;
    if (hooked == nullptr && copy->switches->jump != nullptr) hooked = copy;
  }
  if (hooked != nullptr) return *hooked;
  return first != nullptr ? *first : this_copy;
}

void follow(const library_copy& serving) noexcept {
  functions = serving.functions;
  descriptor_uses = functions->uses_of_descriptors();
  functions->share_coroutine_range(coroutine_slots);
}

using found_notes = std::array<const void*, most_copies>;

std::span<const void* const> find_copies(found_notes& notes) noexcept {
  const std::size_t count = os::find_notes("gmr", note_type, sizeof(std::int64_t), notes);
  return std::span{notes}.first(count);
}

// Before all other initialisers of this module. The loader runs them for one module at a time.
[[gnu::constructor(101)]] void decide_who_serves() noexcept {
  found_notes notes;
  library_copy& serving = choose(find_copies(notes));
  serving.serving.store(&serving);
  this_copy.serving.store(&serving);
  if (&serving == &this_copy) {
    // Other copies have what is in this one. (Where there are none yet, they may come.)
    os::keep_loaded(&this_copy);
    return;
  }
  gmr_hook_that_serves = *serving.switches;
  if (serving.interface == copy_interface)
    follow(serving);
  else
    serving.strangers.fetch_add(1);
}

// A plug-in may be closed before there is a first coroutine.
[[gnu::destructor]] void leave_who_serves() noexcept {
  if (functions != &own_functions) functions->stop_sharing_coroutine_range(coroutine_slots);
}

}  // namespace

library_copy& serving_copy() noexcept {
  library_copy* const serving = this_copy.serving.load(std::memory_order_relaxed);
  return serving != nullptr && serving->interface == copy_interface ? *serving : this_copy;
}

bool this_copy_serves() noexcept {
  return &serving_copy() == &this_copy;
}

bool is_switch_of_a_copy(const void* function) noexcept {
  found_notes notes;
  return std::ranges::any_of(find_copies(notes), [&](const void* note) {
    const fiber_switches& of = *copy_of(note)->switches;
    const auto is = [&](void (*each)()) { return reinterpret_cast<const void*>(each) == function; };
    return is(of.make) || is(of.jump) || is(of.ontop);
  });
}

std::string_view what_copies_hide() noexcept {
  if (this_copy.serving.load() != &serving_copy())
    return "this report's part of the program was linked with another version of gmr than the "
           "rest, "
           "whose green threads are not listed; build all with the same version";
  if (serving_copy().strangers.load() != 0)
    return "a part of the program was linked with another version of gmr, and its coroutines are "
           "not listed; build all with the same version";
  return {};
}

void* allocate_coroutine_frame(std::size_t size) {
  return functions->allocate_coroutine_frame(size);
}

void free_coroutine_frame(void* frame, std::size_t size) noexcept {
  functions->free_coroutine_frame(frame, size);
}

void* allocate_coroutine_entry(std::size_t size) {
  return functions->allocate_coroutine_entry(size);
}

void free_coroutine_entry(void* frame, std::size_t size) noexcept {
  functions->free_coroutine_entry(frame, size);
}

void share_coroutine_range(coroutine_range& other) noexcept {
  functions->share_coroutine_range(other);
}

bool copy_coroutine_variables(const void* innermost, std::uint64_t id,
                              std::vector<std::uintptr_t>& words) {
  return functions->copy_coroutine_variables(innermost, id, words);
}

green_thread_notes* allocate_notes(std::uint64_t owner, std::uint64_t parent) noexcept {
  return functions->allocate_notes(owner, parent);
}

void release_notes(green_thread_notes& notes) noexcept {
  functions->release_notes(notes);
}

std::uint64_t refused_notes() noexcept {
  return functions->refused_notes();
}

std::uint64_t reserve_green_thread_ids(std::uint64_t count) noexcept {
  return functions->reserve_green_thread_ids(count);
}

operation_record* take_common_operation_record() noexcept {
  return functions->take_common_operation_record();
}

void put_common_operation_records(operation_record& one_more) noexcept {
  functions->put_common_operation_records(one_more);
}

void thread_serves(const void* context) noexcept {
  this_thread_starts.context = context;
  functions->thread_serves(context);
  note_event_loop();
}

std::size_t operation_record_count() noexcept {
  return functions->operation_record_count();
}

const operation_record& operation_record_at(std::size_t index) noexcept {
  return functions->operation_record_at(index);
}

std::uint64_t unrecorded_operations() noexcept {
  return functions->unrecorded_operations();
}

const serving_thread& serving_thread_at(std::size_t index) noexcept {
  return functions->serving_thread_at(index);
}

std::size_t serving_thread_count() noexcept {
  return functions->serving_thread_count();
}

thread_slot& enroll_thread() noexcept {
  return functions->enroll_thread();
}

thread_slot* slot_of_this_thread() noexcept {
  return functions->slot_of_this_thread();
}

bool find_thread(pid_t tid, thread_traits& traits) noexcept {
  return functions->find_thread(tid, traits);
}

bool find_this_thread(thread_traits& traits) noexcept {
  return functions->find_this_thread(traits);
}

thread_slot& thread_slot_at(std::size_t index) noexcept {
  return functions->thread_slot_at(index);
}

// The copy that serves keeps it for as long as the process lives.
void register_bare_source(const bare_source& source) noexcept {
  if (!this_copy_serves()) os::keep_loaded(&source);
  functions->register_bare_source(source);
}

std::array<const bare_source*, most_bare_sources> bare_sources() noexcept {
  return functions->bare_sources();
}

event_loop_record* add_event_loop(void* scheduler) noexcept {
  return functions->add_event_loop(scheduler);
}

bool post_probe(event_loop_record& loop, std::uint64_t now) noexcept {
  return functions->post_probe(loop, now);
}

event_loop_record& event_loop_at(std::size_t index) noexcept {
  return functions->event_loop_at(index);
}

event_loop_notes& notes_of_event_loops() noexcept {
  return functions->notes_of_event_loops();
}

}  // namespace gmr::trace
