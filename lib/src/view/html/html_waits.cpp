// Who waits for what: operations, the table of waits, the tree of green threads.
#include <algorithm>
#include <cstddef>

#include "text/hex.hpp"
#include "text/quantities.hpp"
#include "view/html/html_parts.hpp"
#include "view/text_threads.hpp"

namespace gmr::views {
namespace {

// Deeper ones stand as deep as this: browsers stop to nest at 512 elements.
constexpr std::uint32_t deepest_relative = 100;

void write_operation_group(html_output& out, const operation_group& group) {
  out << "<details class=group><summary><h3>";
  out.text(operations_title(group)) << "</h3></summary><p>event loop ";
  out.text(texts::hex(group.event_loop));
  for (const pid_t thread : group.threads) {
    out << " <a href=#t";
    out.number(thread) << ">thread ";
    out.number(thread) << "</a>";
  }
  out << "</p><ul>";
  for (const unowned_operation_info& each : group.operations) {
    const std::string line = unowned_text(each);
    if (line.empty()) continue;
    out << "<li>";
    out.text(line);
  }
  out << "</ul></details>\n";
}

void write_count(html_output& out, std::uint64_t count) {
  out << "<td class=number>";
  if (count != 0) out.number(count);
}

// What is shown of one green thread, and where its group stands.
void write_relative(html_output& out, const outlines::relative& each,
                    const outlines::outline& shown) {
  if (each.group != nullptr) {
    out << "<a href=#g";
    out.number(each.group - shown.source->green_threads.groups.data()) << ">";
    out.number(each.id) << "</a> ";
    out.text(to_string(each.group->kind)) << " ";
    out.text(to_string(each.group->state));
    if (each.group->waits_for) {
      out << ", waiting for ";
      out.text(wait_text(*each.group->waits_for));
    }
  } else if (each.listed != nullptr) {
    out << "<a href=#s";
    out.number(each.listed->stack) << ">";
    out.number(each.id) << "</a> ";
    out.text(green_thread_text(*each.listed).substr(std::to_string(each.id).size() + 1));
  } else {
    out << "green thread ";
    out.number(each.id);
  }
  if (each.thread != 0) {
    out << ", on <a href=#t";
    out.number(each.thread) << ">thread ";
    out.number(each.thread) << "</a>";
  }
  if (each.again) out << " (as above: they wait for each other in a circle)";
}

}  // namespace

void write_operations(html_output& out, const std::vector<operation_group>& groups) {
  std::uint64_t count = 0;
  for (const operation_group& each : groups)
    count += each.count;
  out << "<p>";
  out.text(counted(count, "operation")) << " that no green thread waits for</p>";
  for (const operation_group& each : groups)
    write_operation_group(out, each);
}

void write_waits(html_output& out, const std::vector<outlines::wait_row>& rows) {
  out << "<div class=wide role=region aria-label=\"Table of waits\" tabindex=0><table><thead><tr>"
         "<th scope=col>Operation<th scope=col>Peer or lock<th scope=col class=number>Threads"
         "<th scope=col class=number>Green threads<th scope=col class=number>Callbacks"
         "<th scope=col class=number>Longest"
         "</thead><tbody>\n";
  for (const outlines::wait_row& row : rows) {
    out << "<tr><th scope=row>";
    out.text(row.operation) << "<td>";
    out.text(row.peer);
    write_count(out, row.threads);
    write_count(out, row.green_threads);
    write_count(out, row.operations);
    out << "<td class=number>";
    if (row.longest_seconds) out.text(texts::human_duration(*row.longest_seconds));
    out << "\n";
  }
  out << "</tbody></table></div>";
}

void write_relatives(html_output& out, const outlines::outline& shown,
                     const std::vector<outlines::relative>& tree) {
  out << "<p>Below each green thread stand those that it awaits or has resumed.</p>";
  out << "<ul class=tree>";
  std::uint32_t depth = 0;
  for (const outlines::relative& each : tree) {
    const std::uint32_t wanted = std::min(each.depth, deepest_relative);
    for (; depth < wanted; ++depth)
      out << "<ul>";
    for (; depth > wanted; --depth)
      out << "</ul>";
    out << "<li>";
    write_relative(out, each, shown);
  }
  for (; depth > 0; --depth)
    out << "</ul>";
  out << "</ul>";
}

}  // namespace gmr::views
