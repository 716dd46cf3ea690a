// See debugger_tables.hpp.
#include <cstddef>
#include <source_location>

#include "hook/coroutine/coroutine_arena.hpp"
#include "hook/coroutine/literals.hpp"
#include "hook/debugger_tables.hpp"

namespace gmr::trace {

struct coroutine_debug_access {
  static constexpr const void* spans() { return static_cast<const void*>(&all_coroutines.spans_); }
  static constexpr const void* span_count() { return &all_coroutines.span_count_; }
};

}  // namespace gmr::trace

using namespace gmr::trace;

[[gnu::used, gnu::retain]] constinit const coroutine_debug_table gmr_debug_coroutines = {
    .version = debug_table_version,
    .bytes = sizeof(coroutine_debug_table),
    .range_begin = &coroutine_slots.begin,
    .range_size = &coroutine_slots.size,
    .spans = coroutine_debug_access::spans(),
    .span_count = coroutine_debug_access::span_count(),
    .span_bytes = sizeof(entry_span),
    .span_first = offsetof(entry_span, first),
    .span_slot_bytes = offsetof(entry_span, slot_bytes),
    .span_used = offsetof(entry_span, used),
    .entry_top = offsetof(coroutine_entry, top),
    .entry_since = offsetof(coroutine_entry, since),
    .entry_operation = offsetof(coroutine_entry, operation),
    .entry_id = offsetof(coroutine_entry, id),
    .entry_node = offsetof(coroutine_entry, node),
    .node_word = offsetof(coroutine_node, word),
    .node_location = offsetof(coroutine_node, location),
    .node_caller = offsetof(coroutine_node, caller),
    .state_mask = coroutine_state::kind(~std::uint64_t{0}),
    .state_dead = coroutine_state::dead,
    .state_running = coroutine_state::running,
    .state_suspended = coroutine_state::suspended,
    .state_thread_shift = 32,
    .internal = coroutine_internal,
    .location_file = offsetof(location_layout, file),
    .location_function = offsetof(location_layout, function),
    .location_line = offsetof(location_layout, line),
};
