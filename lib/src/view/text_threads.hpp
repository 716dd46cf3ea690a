// The sections Threads, Green Threads and Operations as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"
#include "outline/outline.hpp"
#include "view/page.hpp"
#include "view/text_stack.hpp"

namespace gmr::views {

// Those with the same stack are together.
void show_threads(page& out, const outlines::outline& shown, const path_shortener& paths);

void show_green_threads(page& out, const outlines::outline& shown, const path_shortener& paths);

// Where stacks part, and how many green threads went which way. For list = tree.
void show_green_tree(page& out, const outlines::call_tree& root, const path_shortener& paths);

// Operations that no green thread waits for.
void show_operations(page& out, const std::vector<operation_group>& groups);

// "for 1.2 s to 3 min": from the youngest to the oldest; empty when not known.
[[nodiscard]] std::string ages_text(std::optional<double> oldest, std::optional<double> newest);

// The sentences below are those of all views for people. What comes from the program is printable
// in them.

// "7 (answers 12 requests, 3 automatic ones refused since the last report)"
[[nodiscard]] std::string report_number_text(const report& complete);
// "Made in 7.5 ms: capture ..."
[[nodiscard]] std::string cost_text(const cost_info& cost);

// "812 io-1: sleeping, waits for mutex 0x7f.. held by thread 813, cpu 1.2 s": what it does before
// what it used, so that this is on the first line when there are two.
[[nodiscard]] std::string thread_header(const thread_info& thread);
// "Threads 812, 813 (2): same stack"
[[nodiscard]] std::string group_title(const outlines::thread_group& group);

// "Event loop 0x7f..: 3 handlers queued, ..."
[[nodiscard]] std::string event_loop_text(const event_loop_info& loop);
// "40 coroutines suspended for 1.2 s to 3 min, waiting for read"
[[nodiscard]] std::string group_title(const green_thread_group& group);
// "awaited by 6" is said of all of them; otherwise "12 awaited by 6" of each that is.
[[nodiscard]] std::string parents_text(const green_thread_group& group, outlines::parent_form form);
// "stack of 64.0 KiB, at most 12.0 KiB used"; empty when it is not known.
[[nodiscard]] std::string memory_text(const green_thread_group& group);
// "read on descriptor 12 (tcp 127.0.0.1:80 - 127.0.0.1:5112)"
[[nodiscard]] std::string operation_text(const operation_info& operation);
// One green thread, as it is listed by itself.
[[nodiscard]] std::string green_thread_text(const green_thread_info& each);

// "50 operations pending for 1.2 s to 3 min 12 s: read"
[[nodiscard]] std::string operations_title(const operation_group& group);
// "descriptor 12 (tcp 127.0.0.1:80 - 127.0.0.1:5112), for 3.0 s"; empty when nothing is known.
[[nodiscard]] std::string unowned_text(const unowned_operation_info& one);

}  // namespace gmr::views
