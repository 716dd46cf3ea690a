// Where a debugger finds the green threads of a process or of its core file, and how to read them,
// also when this library has no debug information: two tables of 64-bit words, `gmr_debug_fibers`
// and `gmr_debug_coroutines`. lib/gdb/gmr-gdb.py reads the words by their order here.
//
// `version` changes when a word changes its meaning or goes away; new ones go to the end, where
// `bytes` tells whether they are there. Words are addresses, sizes, counts, values, or (the rest)
// offsets of members. What the records mean: fiber_record.hpp, coroutine_node.hpp.
#pragma once

#include <cstdint>

namespace boost::context::detail {
struct transfer_t;
}

namespace gmr::trace {

// Part of the objects of the fiber hook: missing from a program that does not link it.
struct fiber_debug_table {
  std::uint64_t version;
  std::uint64_t bytes;
  std::uint64_t machine;  // whose registers: EM_X86_64 or EM_AARCH64

  const void* chunks;             // address of an array of pointers to chunks of records; or null
  const void* record_count;       // address of 32 bits: how many records there are in all of them
  std::uint64_t records_a_chunk;  // count
  std::uint64_t record_bytes;     // size

  std::uint64_t record_sequence;  // 32 bits: even while suspended
  std::uint64_t record_state;     // 32 bits
  std::uint64_t record_runner;    // address of the slot of the thread that ran it last, or null
  std::uint64_t record_low;
  std::uint64_t record_high;
  std::uint64_t record_id;
  std::uint64_t record_registers;  // as in machine_registers
  std::uint64_t suspendable;       // values of the state: live, running or suspended
  std::uint64_t ending;            // live, leaving its stack

  const void* slots;         // address of an array of threads
  std::uint64_t slot_count;  // count
  std::uint64_t slot_bytes;  // size
  std::uint64_t slot_tid;    // 32 bits: kernel's thread id; none in a slot that is free
  std::uint64_t slot_own;    // the record of the thread's own stack

  void (*entry)(boost::context::detail::transfer_t);  // where a fiber that has not begun will start
};

struct coroutine_debug_table {
  std::uint64_t version;
  std::uint64_t bytes;

  const void* range_begin;  // address of the address of the range that all slots lie in
  const void* range_size;   // address of its size
  const void* spans;        // address of the address of an array of spans
  const void* span_count;   // address of 32 bits

  std::uint64_t span_bytes;  // size
  std::uint64_t span_first;  // address of the first slot; each begins with an entry
  std::uint64_t span_slot_bytes;
  std::uint64_t span_used;  // 32 bits

  std::uint64_t entry_top;
  std::uint64_t entry_since;
  std::uint64_t entry_operation;
  std::uint64_t entry_id;
  std::uint64_t entry_node;

  std::uint64_t node_word;
  std::uint64_t node_location;
  std::uint64_t node_caller;

  std::uint64_t state_mask;  // of an entry's word; then its values
  std::uint64_t state_dead;
  std::uint64_t state_running;
  std::uint64_t state_suspended;
  std::uint64_t state_thread_shift;  // above it: the kernel's id of the thread that runs it
  std::uint64_t internal;            // in the word of another node: not to be shown

  std::uint64_t location_file;  // of what a std::source_location points to
  std::uint64_t location_function;
  std::uint64_t location_line;  // 32 bits
};

inline constexpr std::uint64_t debug_table_version = 1;

}  // namespace gmr::trace

// Exported by programs too, so that they are found in stripped ones.
extern "C" {
[[gnu::visibility("default")]] extern const gmr::trace::fiber_debug_table gmr_debug_fibers;
[[gnu::visibility("default")]] extern const gmr::trace::coroutine_debug_table gmr_debug_coroutines;
}
