#include "outline/outline.hpp"

#include <algorithm>
#include <iterator>

#include "outline/arrange.hpp"

namespace gmr::outlines {
namespace {

// With the stacks of the threads that it is about, so that nobody has to look for them among the
// others.
finding_outline arrange_finding(const finding& each, const report& complete) {
  constexpr std::size_t most_stacks = 10;
  finding_outline out;
  out.source = &each;
  const std::size_t count = std::min({each.stacks, each.threads.size(), most_stacks});
  for (std::size_t at = 0; at < count; ++at) {
    const auto thread = std::ranges::find(complete.threads, each.threads[at], &thread_info::id);
    if (thread != complete.threads.end())
      out.stacks.push_back({&*thread, arrange_stack(thread->stack)});
  }
  out.more_stacks = each.stacks - std::min(each.stacks, count);
  return out;
}

value package_of(const report& complete) {
  if (!complete.package_details.is_null()) return complete.package_details;
  const auto text_or_null = [](const std::string& text) { return text.empty() ? value{} : text; };
  return key_values{}
      .add("name", complete.package.name)
      .add("version", text_or_null(complete.package.version))
      .add("vendor", text_or_null(complete.package.vendor))
      .add("revision", text_or_null(complete.package.revision));
}

// By the place in `stacks` or in `groups`, whichever this report has.
void add_green_notes(std::vector<std::string>& to, const outline& arranged) {
  const auto add = [&](const char* what, std::size_t number, const std::string& note) {
    if (!note.empty()) to.push_back(what + std::to_string(number) + " of green threads: " + note);
  };
  for (std::size_t at = 0; at < arranged.green_threads.groups.size(); ++at)
    add("group ", at, arranged.green_threads.groups[at].stack.note);
  if (arranged.source->list != report_list::each) return;
  const std::vector<stack>& stacks = arranged.source->green_threads.stacks;
  for (std::size_t at = 0; at < stacks.size(); ++at)
    add("stack ", at, note_of(stacks[at]));
}

// Everything that was cut short, and why: nothing is left out without being announced.
std::vector<std::string> all_notes_of(const outline& arranged) {
  std::vector<std::string> notes = arranged.source->notes;
  const std::vector<std::string>& green = arranged.source->green_threads.notes;
  notes.insert(notes.end(), green.begin(), green.end());
  for (const thread_outline& thread : arranged.threads)
    for (const std::string& note : thread.notes)
      notes.push_back("thread " + std::to_string(thread.source->id) + ": " + note);
  add_green_notes(notes, arranged);
  return notes;
}

}  // namespace

bool need_stacks(part_set some) noexcept {
  return std::ranges::any_of(
      std::array{part::modules, part::threads, part::green_threads, part::operations},
      [some](part each) { return some.test(static_cast<std::size_t>(each)); });
}

std::string_view to_string(part each) noexcept {
  switch (each) {
    case part::package:
      return "package";
    case part::process:
      return "process";
    case part::modules:
      return "modules";
    case part::threads:
      return "threads";
    case part::green_threads:
      return "green_threads";
    case part::operations:
      return "operations";
    case part::configuration:
      return "configuration";
    case part::sections:
      return "sections";
  }
  return {};
}

outline arrange(const report& complete, part_set shown) {
  outline out;
  out.source = &complete;
  std::ranges::copy_if(parts, std::back_inserter(out.parts),
                       [shown](part each) { return shown.test(static_cast<std::size_t>(each)); });
  out.source_root = source_root(complete);
  out.all_seen = complete.notes.empty() && need_stacks(shown);
  for (const finding& each : complete.findings)
    out.findings.push_back(arrange_finding(each, complete));
  out.package = package_of(complete);
  out.process = complete.process.is_null() ? value{key_values{}} : complete.process;
  out.threads = arrange_threads(complete.threads);
  out.thread_groups = group_by_stack(complete.threads);
  out.green_threads = arrange_green_threads(complete.green_threads, complete.list);
  out.configuration = arrange_options(complete.configuration);
  out.sections = arrange_sections(complete.sections);
  out.all_notes = all_notes_of(out);
  return out;
}

}  // namespace gmr::outlines
