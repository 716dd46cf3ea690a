#include "view/text.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "view/human.hpp"
#include "view/page.hpp"
#include "view/printable.hpp"
#include "view/text_stack.hpp"
#include "view/text_threads.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

std::vector<std::string> numbers(const auto& ids) {
  std::vector<std::string> out;
  out.reserve(ids.size());
  for (const auto id : ids)
    out.push_back(std::to_string(id));
  return out;
}

// Of the threads that it is about, so that nobody has to look for them among the others.
void show_stacks(page& out, const finding& each, const report& complete,
                 const path_shortener& paths) {
  constexpr std::size_t most = 10;
  const std::size_t count = std::min({each.stacks, each.threads.size(), most});
  for (std::size_t i = 0; i < count; ++i) {
    const auto thread =
        std::find_if(complete.threads.begin(), complete.threads.end(),
                     [&](const thread_info& one) { return one.id == each.threads[i]; });
    if (thread == complete.threads.end()) continue;
    out.line(2, "thread " + std::to_string(thread->id) + " " + printable(thread->name) + ":");
    show_stack(out, 4, thread->stack, paths, folding::unless_all);
  }
  if (each.stacks > count)
    out.line(2, "and " + counted(each.stacks - count, "thread") + " more: see Threads");
}

void show_finding(page& out, const finding& each, const report& complete,
                  const path_shortener& paths) {
  out.line(0, "* " + printable(each.kind) + ": " + printable(each.text));
  constexpr std::size_t most = 20;
  if (!each.threads.empty())
    out.line(2, "threads " + join_some(numbers(each.threads), most, each.threads.size()));
  if (!each.green_threads.empty())
    out.line(2, "green threads " +
                    join_some(numbers(each.green_threads), most, each.green_threads.size()));
  show_stacks(out, each, complete, paths);
}

void show_head(page& out, const report& complete, const path_shortener& paths) {
  out.banner("Guru Meditation");
  out.line(0, "Cause:   " + printable(complete.cause));
  out.line(0, "Time:    " + rfc3339(complete.time));
  out.line(0, "Host:    " + printable(complete.host));
  std::string number = "Report:  " + std::to_string(complete.number);
  if (complete.coalesced > 1)
    number += " (answers " + std::to_string(complete.coalesced) + " requests)";
  out.line(0, number);
  out.blank();
  if (complete.findings.empty()) {
    out.line(0, "Findings: no findings");
  } else {
    out.line(0, "Findings:");
    for (const finding& each : complete.findings)
      show_finding(out, each, complete, paths);
  }
  for (const std::string& note : complete.notes)
    out.line(0, "Note: " + printable(note));
  if (!paths.root().empty()) out.line(0, "Source paths are relative to " + printable(paths.root()));
}

void show_package(page& out, const report& complete) {
  out.section("Package");
  if (!complete.package_details.is_null()) return show_tree(out, 0, complete.package_details);
  key_values pairs;
  pairs.add("name", complete.package.name).add("version", complete.package.version);
  show_tree(out, 0, pairs);
}

// "port: 8080   (server.conf:12)", sections in order of appearance, an option that was added twice
// as it was added last.
void show_configuration(page& out, const std::vector<option_entry>& options) {
  out.section("Configuration");
  if (options.empty()) return out.line(0, "(none given to the reporter)");
  std::vector<std::string_view> order;
  std::map<std::string_view, std::vector<const option_entry*>> sections;
  for (const option_entry& option : options) {
    std::vector<const option_entry*>& entries = sections[option.section];
    if (entries.empty()) order.push_back(option.section);
    const auto known = std::find_if(entries.begin(), entries.end(),
                                    [&](const auto* entry) { return entry->name == option.name; });
    known == entries.end() ? entries.push_back(&option) : void(*known = &option);
  }
  for (const std::string_view section : order) {
    if (section != order.front()) out.blank();
    if (!section.empty()) out.line(0, "[" + printable(section) + "]");
    for (const option_entry* entry : sections[section]) {
      out.line(section.empty() ? 0 : 2, printable(entry->name) + " = " +
                                            inline_text(entry->content) + "  (" +
                                            printable(entry->source) + ")");
    }
  }
}

void show_section(page& out, const custom_section& section) {
  out.section(printable(section.title));
  if (!section.error.empty()) {
    out.line(0, "This section could not be made: " + printable(section.error));
  } else if (section.content.is_null()) {
    out.line(0, "(empty)");
  } else {
    show_tree(out, 0, section.content);
  }
}

void show_end(page& out, const report& complete) {
  const cost_info& cost = complete.cost;
  out.blank();
  out.line(0, "Made in " + human_duration(cost.total_seconds) + ": capture " +
                  human_duration(cost.capture_seconds) + ", resolve " +
                  human_duration(cost.resolve_seconds) + ", sections " +
                  human_duration(cost.sections_seconds) + "; memory grew by " +
                  human_bytes(static_cast<double>(cost.memory_growth_bytes)));
  out.banner("End of Guru Meditation");
}

}  // namespace

std::string to_text(const report& complete) {
  page out;
  const path_shortener paths{complete};
  show_head(out, complete, paths);
  show_package(out, complete);
  out.section("Process");
  if (!complete.process.is_null()) show_tree(out, 0, complete.process);
  out.section("Threads");
  show_threads(out, complete.threads, paths);
  out.section("Green Threads");
  show_green_threads(out, complete.green_threads, complete.list, paths);
  show_configuration(out, complete.configuration);
  for (const custom_section& section : complete.sections)
    show_section(out, section);
  show_end(out, complete);
  return out.take();
}

}  // namespace gmr::views
