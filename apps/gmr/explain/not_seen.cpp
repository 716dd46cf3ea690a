#include <algorithm>
#include <array>
#include <string_view>

#include "explain/rules.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::report;
using reports::series;

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Without some names a report still shows who waits for what; where the time was over it does not
// show whose code that is.
bool is_about_names(std::string_view note) {
  constexpr std::array<std::string_view, 4> parts{" name", "names ", "debug information",
                                                  "debug file"};
  return !has(note, "time for the report was over") &&
         std::ranges::any_of(parts, [&](std::string_view part) { return has(note, part); });
}

void add(explanation& to, const std::string& sentence) {
  if (std::ranges::find(to.not_seen, sentence) == to.not_seen.end())
    to.not_seen.push_back(sentence);
}

// The library's own threads are of no interest.
void look_at_threads(const report& last, explanation& to) {
  double all = 0;
  double without_stack = 0;
  for (const reports::thread& each : last.threads) {
    if (each.is_reporter || each.name.starts_with("gmr")) continue;
    ++all;
    if (each.frames.empty()) ++without_stack;
  }
  if (without_stack == 0) return;
  add(to, "of " + reports::plural(all, "thread", "threads") + ", " +
              reports::plural(without_stack, "has", "have") + " no stack");
  to.may_hide_trouble = true;
}

void look_at_green_threads(const report& last, explanation& to) {
  if (!last.has_green_threads) {
    add(to, "green threads: the report was asked for without them");
    to.may_hide_trouble = true;
    return;
  }
  std::uint64_t without_stack = 0;
  for (const reports::green_thread_group& each : last.groups)
    if (each.frames.empty() && each.state != "running") without_stack += each.count;
  if (without_stack == 0) return;
  add(to, "of " +
              reports::plural(static_cast<double>(last.green_threads), "green thread",
                              "green threads") +
              ", " + reports::plural(static_cast<double>(without_stack), "has", "have") +
              " no stack");
  to.may_hide_trouble = true;
}

}  // namespace

void find_not_seen(const series& compared, explanation& to) {
  look_at_threads(compared.last(), to);
  look_at_green_threads(compared.last(), to);
  // What concerns the whole report comes first: the list of threads may be long.
  for (const report& each : compared.all())
    for (const std::string& note : each.main_notes) {
      add(to, note);
      if (!is_about_names(note)) to.may_hide_trouble = true;
    }
  for (const report& each : compared.all())
    for (const std::string& note : each.notes)
      add(to, note);
}

}  // namespace gmr_command::explanations
