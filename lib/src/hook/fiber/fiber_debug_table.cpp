// See debugger_tables.hpp. In the read-only data of the hook; nothing in the program reads it.
#include <cstddef>

#include "hook/debugger_tables.hpp"
#include "hook/fiber/fiber_hook.hpp"
#include "hook/fiber/fiber_pool.hpp"
#include "os/arch/machine.hpp"

using namespace gmr::trace;

[[gnu::used, gnu::retain]] constinit const fiber_debug_table gmr_debug_fibers = {
    .version = debug_table_version,
    .bytes = sizeof(fiber_debug_table),
    .machine = gmr::os::arch::elf_machine,
    .chunks = fiber_chunks,
    .record_count = &used_fiber_records,
    .records_a_chunk = records_a_chunk,
    .record_bytes = sizeof(fiber_record),
    .record_sequence = offsetof(fiber_record, sequence),
    .record_state = offsetof(fiber_record, state),
    .record_runner = offsetof(fiber_record, runner),
    .record_low = offsetof(fiber_record, low),
    .record_high = offsetof(fiber_record, high),
    .record_id = offsetof(fiber_record, id),
    .record_registers = offsetof(fiber_record, registers),
    .suspendable = static_cast<std::uint64_t>(fiber_state::suspendable),
    .ending = static_cast<std::uint64_t>(fiber_state::ending),
    .slots = thread_slots,
    .slot_count = thread_slot_count,
    .slot_bytes = sizeof(thread_slot),
    .slot_tid = offsetof(thread_slot, tid),
    .slot_own = offsetof(thread_slot, own),
    .entry = gmr_fiber_entry,
};
