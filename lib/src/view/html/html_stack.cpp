// Stacks. They are text, a line for each frame, with tabs between number, function and place: a few
// elements for each frame would keep a browser busy for many seconds where there are 10,000 groups.
// The script lays out the stacks that come into view; no text of a report has tabs or line breaks.
#include "view/html/html_parts.hpp"

namespace gmr::views {
namespace {

void write_frame(html_output& out, const outlines::stack_outline& shown, std::size_t at,
                 const path_shortener& paths) {
  const frame& entry = *shown.source->frames[at];
  out.number(at) << "\t";
  out.text(function_text(entry)) << "\t";
  out.text(place_text(entry, paths)) << "\n";
  if (const std::string_view code = paths.code(entry); !code.empty()) {
    out << "\t\t&gt; ";
    out.text(code) << "\n";
  }
}

// A line that tells how many of those after it are folded.
void write_fold(html_output& out, const outlines::frame_run& run,
                const outlines::stack_outline& shown, const path_shortener& paths) {
  out << "+\t";
  out.text(fold_text(run)) << "\t";
  out.number(run.count) << "\n";
  for (std::size_t at = run.first; at < run.first + run.count; ++at)
    write_frame(out, shown, at, paths);
}

const frame* innermost_of_program(const outlines::stack_outline& shown) {
  for (const frame* const each : shown.source->frames)
    if (!each->internal) return each;
  return shown.source->frames.empty() ? nullptr : shown.source->frames.front();
}

}  // namespace

void write_stack(html_output& out, const outlines::stack_outline& shown,
                 const path_shortener& paths, std::uint64_t count) {
  if (!shown.runs.empty()) {
    out << "<div class=stack data-count=";
    out.number(count) << ">";
    for (const outlines::frame_run& run : shown.runs) {
      if (run.is_folded)
        write_fold(out, run, shown, paths);
      else
        write_frame(out, shown, run.first, paths);
    }
    out << "</div>";
  }
  if (!shown.note.empty()) {
    out << "<p class=note>";
    out.text(shown.note) << "</p>";
  } else if (shown.runs.empty()) {
    out << "<p class=note>no stack</p>";
  }
}

void write_place(html_output& out, const outlines::stack_outline& shown,
                 const path_shortener& paths) {
  const frame* const at = innermost_of_program(shown);
  if (at == nullptr) return;
  out << "<span class=at>";
  out.text(frame_text(*at, paths)) << "</span>";
}

}  // namespace gmr::views
