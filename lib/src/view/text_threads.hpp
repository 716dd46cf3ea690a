// The Threads and Green Threads sections as text.
#pragma once

#include <string>

#include "gmr/model/report.hpp"
#include "view/page.hpp"
#include "view/text_stack.hpp"

namespace gmr::views {

// Threads in the order of the report; those with the same stack are together, at the place of the
// first.
void show_threads(page& out, const std::vector<thread_info>& threads, const path_shortener& paths);

void show_green_threads(page& out, const green_threads_info& all, report_list list,
                        const path_shortener& paths);

// Where stacks part, and how many green threads went which way. For list = tree.
void show_green_tree(page& out, const green_threads_info& all, const path_shortener& paths);

// "40 coroutines suspended for 1.2 s to 3 min, waiting for read"
[[nodiscard]] std::string group_title(const green_thread_group& group);

}  // namespace gmr::views
