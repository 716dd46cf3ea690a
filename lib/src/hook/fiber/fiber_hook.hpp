// The part of the fiber hook that is not assembly; see fiber_switch_*.S for who calls it.
#pragma once

#include <atomic>
#include <cstdint>

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/fiber/fiber_originals.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr::trace {

// Finds Boost's functions and what else the switches rely on. Once, before the first fiber; done
// by make_fcontext itself when that comes earlier. False: Boost's functions are missing.
bool set_up_fiber_hook() noexcept;

// The part of it that does not depend on Boost's functions. Repeated calls do no harm.
void set_up_fiber_records() noexcept;

// A fiber of another kind: its record, and the end of what its stack has left. Above that is the
// sign that mark() looks for.
struct new_fiber {
  fiber_record& record;
  std::uintptr_t top;
};
[[nodiscard]] new_fiber make_fiber(std::uintptr_t low, std::uintptr_t high,
                                   std::uintptr_t function) noexcept;
// From here on it is listed, as suspended with those registers.
void publish_fiber(fiber_record& record, const machine_registers& registers) noexcept;

// Says by what the suspended fiber is known to be there.
void mark(machine_stack& stack, const fiber_record& record) noexcept;

// Fibers that run untraced since there was no memory for a record.
[[nodiscard]] std::uint64_t untraced_fibers() noexcept;

}  // namespace gmr::trace

extern "C" {
// As clock_gettime.
[[gnu::visibility("hidden")]] extern constinit gmr::trace::clock_function gmr_fiber_clock;
// Whether the assembly may do Boost's switches itself.
[[gnu::visibility("hidden")]] extern constinit bool gmr_fiber_switches_are_known;
// Whether sanitizers have to be told of switches.
[[gnu::visibility("hidden")]] extern constinit bool gmr_fiber_under_sanitizer;
// Stands for no fiber where a fiber runs: what it starts now it does not wait for yet.
[[gnu::visibility("hidden")]] extern constinit std::atomic<std::uint32_t> gmr_fiber_nobody;

[[gnu::visibility("hidden")]] void gmr_fiber_entry(gmr::trace::transfer_t);  // assembly
// Places in the assembly: where fibers are suspended whose switch is done in place, and what such a
// fiber's context returns to. On other processors there are none.
[[gnu::visibility("hidden"), gnu::weak]] extern const char gmr_fiber_left_by_jump[];
[[gnu::visibility("hidden"), gnu::weak]] extern const char gmr_fiber_left_by_ontop[];
[[gnu::visibility("hidden"), gnu::weak]] extern const char gmr_fiber_returned[];
[[gnu::visibility("hidden")]] gmr::trace::fcontext_t gmr_fiber_make(
    void* top, std::size_t size, void (*function)(gmr::trace::transfer_t)) noexcept;
// `left` was left for `current` by the thread of `slot`; `how` is GMR_BY_ONTOP or 0. The assembly
// does the usual case itself: change both. Hands `transfer` through: the result of the switch, in
// the registers it is in already.
[[gnu::visibility("hidden")]] gmr::trace::transfer_t gmr_fiber_switched(
    gmr::trace::transfer_t transfer, gmr::trace::fiber_record* current,
    gmr::trace::thread_slot* slot, gmr::trace::fiber_record* left, std::uint64_t how) noexcept;
// The same where only what runs now is known.
[[gnu::visibility("hidden")]] gmr::trace::transfer_t gmr_fiber_arrive(
    gmr::trace::transfer_t transfer, gmr::trace::fiber_record* current) noexcept;
[[gnu::visibility("hidden")]] gmr::trace::transfer_t gmr_fiber_arrive_by_ontop(
    gmr::trace::transfer_t transfer, gmr::trace::fiber_record* current) noexcept;
[[gnu::visibility("hidden")]] void* gmr_fiber_begin(const void* stack_pointer,
                                                    const void* data) noexcept;
[[gnu::visibility("hidden")]] gmr::trace::thread_slot* gmr_fiber_enroll() noexcept;
}
