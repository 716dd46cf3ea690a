// See thread_registry.hpp.
#include "hook/threads/thread_registry.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "gmr/trace/enroll.hpp"
#include "hook/library_copies.hpp"
#include "os/fork.hpp"

constinit thread_local gmr::trace::thread_slot* gmr_this_thread = nullptr;

namespace gmr::trace {

constinit thread_slot thread_slots[thread_slot_count];

namespace {

constexpr pid_t claimed = -1;

constinit std::atomic<std::size_t> longest_probe{0};
// In a forked child, the slot of the thread that forked: it lies where its old tid put it.
constinit std::atomic<thread_slot*> forked_slot{nullptr};

std::size_t home_of(pid_t tid) noexcept {
  return static_cast<std::size_t>(tid) % thread_slot_count;
}

// Slots outside the table whose threads have ended. They may still be referred to, so they are
// never freed.
constinit std::atomic<thread_slot*> spare_slots{nullptr};

void put_spare(thread_slot& first) noexcept {
  thread_slot* last = &first;
  while (last->next_spare != nullptr)
    last = last->next_spare;
  while (!spare_slots.compare_exchange_weak(last->next_spare, &first, std::memory_order_acq_rel)) {
  }
}

// All are taken and the others put back: nobody else sees a list that changes under it.
thread_slot* take_spare() noexcept {
  thread_slot* const taken = spare_slots.exchange(nullptr, std::memory_order_acquire);
  if (taken == nullptr) return nullptr;
  if (thread_slot* const others = std::exchange(taken->next_spare, nullptr)) put_spare(*others);
  return taken;
}

bool is_in_table(const thread_slot& slot) noexcept {
  return !std::less{}(&slot, std::begin(thread_slots)) &&
         std::less{}(&slot, std::end(thread_slots));
}

// A slot that is nobody's. When all are taken, one outside the table: its thread is traced, but
// find_thread does not know it.
thread_slot& claim_slot(pid_t tid) noexcept {
  for (std::size_t probe = 0; probe < thread_slot_count; ++probe) {
    thread_slot& slot = thread_slots[(home_of(tid) + probe) % thread_slot_count];
    pid_t nobody = 0;
    if (!slot.tid.compare_exchange_strong(nobody, claimed, std::memory_order_acquire)) continue;
    std::size_t longest = longest_probe.load(std::memory_order_relaxed);
    while (longest < probe && !longest_probe.compare_exchange_weak(longest, probe)) {
    }
    return slot;
  }
  if (thread_slot* const spare = take_spare()) return *spare;
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): no switch can go on without a slot
  return *new thread_slot;
}

void read_own_bounds(fiber_record& own) noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  void* low = nullptr;
  std::size_t size = 0;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    const auto address = reinterpret_cast<std::uintptr_t>(low);
    own.low.store(address, std::memory_order_relaxed);
    own.high.store(address + size, std::memory_order_relaxed);
  }
  pthread_attr_destroy(&attributes);
}

void fill_slot(thread_slot& slot) noexcept {
  fiber_record& own = slot.own;
  own.begin_change();
  own.runner.store(&slot, std::memory_order_relaxed);
  own.resumed_by.store(0, std::memory_order_relaxed);
  own.first_data.store(&own, std::memory_order_relaxed);  // no data is ever this
  own.become(next_green_thread_id());
  own.tsan_fiber = nullptr;
  read_own_bounds(own);
  own.state.store(fiber_state::suspendable, std::memory_order_relaxed);
  slot.current.store(&own, std::memory_order_relaxed);
  const alternate_bounds alternate = slot.signal_stack.provide();
  slot.alternate_low.store(alternate.low, std::memory_order_relaxed);
  slot.alternate_high.store(alternate.high, std::memory_order_relaxed);
  slot.alternate_stays.store(alternate.stays, std::memory_order_relaxed);
}

void leave(void* argument) noexcept {
  auto& slot = *static_cast<thread_slot*>(argument);
  gmr_this_thread = nullptr;
  slot.alternate_high.store(0, std::memory_order_relaxed);
  slot.signal_stack.withdraw();
  slot.own.state.store(fiber_state::free, std::memory_order_relaxed);
  slot.own.begin_change();
  slot.tid.store(0, std::memory_order_release);
  if (!is_in_table(slot)) put_spare(slot);
}

// In the child only the calling thread is left. What the others ran will never go on: their
// records are given up, with the stacks.
void forget_other_slots() noexcept {
  for (thread_slot& slot : thread_slots) {
    if (&slot == gmr_this_thread || slot.tid.load(std::memory_order_relaxed) == 0) continue;
    fiber_record* const ran = slot.current.load(std::memory_order_relaxed);
    for (fiber_record* record : {ran, &slot.own}) {
      if (record == nullptr) continue;
      record->state.store(fiber_state::free, std::memory_order_relaxed);
      record->begin_change();
    }
    slot.signal_stack = {};
    slot.tid.store(0, std::memory_order_release);
  }
  if (gmr_this_thread == nullptr) return;
  gmr_this_thread->tid.store(gettid(), std::memory_order_release);
  forked_slot.store(gmr_this_thread, std::memory_order_release);
}

constexpr os::fork_actions threads_when_forked{.in_child = forget_other_slots};

// A pthread key rather than a thread_local: its destructor runs after those of all thread_locals,
// and some of these (Boost.Fiber's) still switch.
pthread_key_t end_of_thread() noexcept {
  static const pthread_key_t key = [] {
    pthread_key_t made{};
    pthread_key_create(&made, leave);
    os::on_fork(os::fork_place::threads, threads_when_forked);
    return made;
  }();
  return key;
}

bool describe(const thread_slot& slot, thread_traits& traits) noexcept {
  traits = {};
  traits.alternate = {slot.alternate_low.load(std::memory_order_relaxed),
                      slot.alternate_high.load(std::memory_order_relaxed),
                      slot.alternate_stays.load(std::memory_order_relaxed)};
  for (int attempt = 0; attempt < 8; ++attempt) {
    const fiber_record* const runs = slot.current.load(std::memory_order_acquire);
    if (runs == nullptr || runs == &slot.own) return true;
    const std::uint32_t seen = runs->sequence.load(std::memory_order_acquire);
    thread_traits found = traits;
    found.fiber = runs->id.load(std::memory_order_relaxed);
    found.low = runs->low.load(std::memory_order_relaxed);
    found.high = runs->high.load(std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (runs->sequence.load(std::memory_order_relaxed) != seen ||
        slot.current.load(std::memory_order_relaxed) != runs)
      continue;
    traits = found;
    return true;
  }
  return true;
}

}  // namespace

namespace own {

thread_slot& enroll_thread() noexcept {
  if (gmr_this_thread != nullptr) return *gmr_this_thread;
  const pid_t tid = gettid();
  thread_slot& slot = claim_slot(tid);
  fill_slot(slot);
  pthread_setspecific(end_of_thread(), &slot);
  gmr_this_thread = &slot;
  slot.tid.store(tid, std::memory_order_release);
  return slot;
}

thread_slot* slot_of_this_thread() noexcept {
  return gmr_this_thread;
}

bool find_thread(pid_t tid, thread_traits& traits) noexcept {
  const thread_slot* const forked = forked_slot.load(std::memory_order_acquire);
  if (forked != nullptr && forked->tid.load(std::memory_order_acquire) == tid)
    return describe(*forked, traits);
  const std::size_t longest = longest_probe.load(std::memory_order_acquire);
  for (std::size_t probe = 0; probe <= longest; ++probe) {
    const thread_slot& slot = thread_slots[(home_of(tid) + probe) % thread_slot_count];
    if (slot.tid.load(std::memory_order_acquire) == tid) return describe(slot, traits);
  }
  return false;
}

bool find_this_thread(thread_traits& traits) noexcept {
  const thread_slot* const slot = gmr_this_thread;
  return slot != nullptr && describe(*slot, traits);
}

thread_slot& thread_slot_at(std::size_t index) noexcept {
  return thread_slots[index];
}

}  // namespace own

}  // namespace gmr::trace

namespace gmr {

void enroll_this_thread() noexcept {
  trace::enroll_thread();
}

}  // namespace gmr
