// The parts of a report as HTML; each writes what stands below its heading.
#pragma once

#include <string>
#include <vector>

#include "outline/outline.hpp"
#include "outline/relations.hpp"
#include "view/html/html_output.hpp"
#include "view/text_stack.hpp"

namespace gmr::views {

// `count` is how many stand there: the script that adds stacks up reads it.
void write_stack(html_output& out, const outlines::stack_outline& shown,
                 const path_shortener& paths, std::uint64_t count);
// What stands beside the title of a stack that is folded: the innermost frame of the program.
void write_place(html_output& out, const outlines::stack_outline& shown,
                 const path_shortener& paths);

void write_threads(html_output& out, const outlines::outline& shown, const path_shortener& paths);
void write_green_threads(html_output& out, const outlines::outline& shown,
                         const path_shortener& paths);
void write_operations(html_output& out, const std::vector<operation_group>& groups);
void write_waits(html_output& out, const std::vector<outlines::wait_row>& rows);
void write_relatives(html_output& out, const outlines::outline& shown,
                     const std::vector<outlines::relative>& tree);
void write_configuration(html_output& out, const std::vector<outlines::option_section>& sections);
void write_value(html_output& out, const value& content);

}  // namespace gmr::views
