// The parts of an outline; outline.hpp says what they hold.
#pragma once

#include <string>
#include <vector>

#include "outline/outline.hpp"

namespace gmr::outlines {

// Frames are interned, so equal stacks hold equal pointers.
[[nodiscard]] std::vector<thread_group> group_by_stack(const std::vector<thread_info>& threads);

[[nodiscard]] std::vector<thread_outline> arrange_threads(const std::vector<thread_info>& threads);

[[nodiscard]] green_threads_outline arrange_green_threads(const green_threads_info& all,
                                                          report_list list);

[[nodiscard]] call_tree make_call_tree(const green_threads_info& all);

// Sections and options in order of appearance; an option that was added twice stands where it was
// first and is shown as it was added last.
[[nodiscard]] std::vector<option_section> arrange_options(const std::vector<option_entry>& options);

// Two sections may have the same title; in an outline, the second one's ends in " (2)".
[[nodiscard]] std::vector<section_outline> arrange_sections(
    const std::vector<custom_section>& sections);

}  // namespace gmr::outlines
