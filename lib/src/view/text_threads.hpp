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

// "40 coroutines suspended for 1.2 s to 3 min, waiting for read"
[[nodiscard]] std::string group_title(const green_thread_group& group);

}  // namespace gmr::views
