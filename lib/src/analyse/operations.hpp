// What green threads wait for in detail, and what each event loop has to do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyse/socket_list.hpp"
#include "gmr/model/report.hpp"
#include "gmr/trace/scheduler.hpp"
#include "hook/operations/pending_operations.hpp"

namespace gmr::analyse {

// Times are CLOCK_MONOTONIC in ns. The addresses of sockets are asked for now; a descriptor that
// was closed since the operation was seen is left out.
[[nodiscard]] operation_info describe(const waiting_operation& operation,
                                      std::uint64_t green_thread, std::uint64_t now,
                                      socket_list& sockets);

// The kind of wait, with what is known of the operation that is waited for itself.
[[nodiscard]] std::optional<wait_info> wait_of(std::string_view kind,
                                               std::span<const operation_info> operations);

// The longest delay first. Without the loop of `reporter`, a thread of the library's own.
[[nodiscard]] std::vector<event_loop_info> describe_event_loops(
    std::span<const trace::context_load> contexts, std::uint64_t now, pid_t reporter);

// In groups of one kind and event loop, the longest under way first. `loops` are those that
// are shown: without the reporter's own. Asks for the addresses of the operations that are shown.
[[nodiscard]] std::vector<operation_group> group_operations(
    std::vector<trace::unowned_operation> operations, std::span<const event_loop_info> loops,
    std::uint64_t now, socket_list& sockets);

// Loops whose queue does not move although threads run it.
[[nodiscard]] std::vector<finding> find_delayed_loops(std::span<const event_loop_info> loops);

}  // namespace gmr::analyse
