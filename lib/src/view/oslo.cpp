#include "view/oslo.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "text/printable.hpp"
#include "text/times.hpp"
#include "view/oslo_value.hpp"
#include "view/text_threads.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t oslo_width = 72;

const value* entry_of(const value& content, std::string_view name) {
  const auto* const pairs = std::get_if<key_values>(&content.get());
  if (pairs == nullptr) return nullptr;
  const auto at = std::ranges::find(
      pairs->entries, name, [](const auto& entry) { return std::string_view{entry.first}; });
  return at == pairs->entries.end() ? nullptr : &at->second;
}

// None where it is not known.
std::string word_of(const value* content) {
  return content == nullptr || content->is_null() ? "None" : inline_text(*content);
}

class oslo_view final {
 public:
  explicit oslo_view(const outlines::outline& shown) : shown_(shown), paths_(shown) {}

  [[nodiscard]] std::string draw() {
    title("Guru Meditation");
    out_.append(oslo_width, '|').append("\n\n\n");
    for (const outlines::part each : in_order())
      if (std::ranges::find(shown_.parts, each) != shown_.parts.end()) write(each);
    title("Findings");
    findings();
    return std::move(out_);
  }

 private:
  [[nodiscard]] static constexpr std::array<outlines::part, 9> in_order() {
    using outlines::part;
    return {part::package,  part::threads, part::green_threads, part::process, part::configuration,
            part::sections, part::runtime, part::control_group, part::log};
  }

  void write(outlines::part which) {
    using outlines::part;
    switch (which) {
      case part::package:
        title("Package");
        return package();
      case part::threads:
        title("Threads");
        return threads();
      case part::green_threads:
        title("Green Threads");
        return green_threads();
      case part::process:
        title("Processes");
        return process();
      case part::configuration:
        title("Configuration");
        out_ += configuration();
        return;
      case part::sections:
        return sections();
      case part::runtime:
        title("Runtime");
        out_ += oslo_tree(shown_.runtime);
        return;
      case part::control_group:
        title("Control Group");
        out_ += oslo_tree(shown_.control_group);
        return;
      case part::log:
        return log();
      case part::changes:
      case part::modules:
      case part::operations:
        return;
    }
  }

  void log() {
    if (shown_.source->log.empty()) return;
    title("Log");
    for (const log_line& each : shown_.source->log)
      out_ += texts::utc_time(each.time) + " " + texts::printable(each.text) + "\n";
  }

  void sections() {
    for (const outlines::section_outline& section : shown_.sections) {
      title(texts::printable(section.title));
      out_ +=
          section.source->error.empty()
              ? oslo_tree(section.source->content)
              : "This section could not be made: " + texts::printable(section.source->error) + "\n";
    }
  }

  void title(std::string_view content) {
    const std::string rule(oslo_width, '=');
    out_.append(rule).append("\n====").append(centered(content, oslo_width - 8));
    out_.append("====\n").append(rule).append("\n");
  }

  void block(std::string_view content) {
    out_.append("------").append(centered(content, oslo_width - 12)).append("------\n");
  }

  void package() {
    out_ += "product = " + word_of(entry_of(shown_.package, "name")) + "\n";
    out_ += "vendor = " + word_of(entry_of(shown_.package, "vendor")) + "\n";
    out_ += "version = " + word_of(entry_of(shown_.package, "version")) + "\n";
  }

  // "/srv/src/cache.cpp:57 in orders::cache::put"; of code without lines its module and offset.
  void frame_lines(const frame& entry) {
    out_ += '\n';
    if (!entry.file.empty())
      out_ += texts::printable(entry.file) + ":" + std::to_string(entry.line);
    else if (const std::string place = place_text(entry, paths_); place.starts_with("in "))
      out_ += place.substr(3);
    else
      out_ += "(unknown place)";
    out_ += " in " + function_text(entry) + "\n";
    const std::string_view code = paths_.code(entry);
    out_ += code.empty() ? "    (source not found)\n" : "    `" + texts::printable(code) + "`\n";
  }

  void stack_lines(const outlines::stack_outline& stack) {
    const std::vector<const frame*>& frames = stack.source->frames;
    for (auto at = frames.rbegin(); at != frames.rend(); ++at)
      frame_lines(**at);
    if (frames.empty()) out_ += "\nNo Traceback!\n";
    if (!stack.note.empty()) out_ += "(" + texts::printable(stack.note) + ")\n";
  }

  void threads() {
    for (const outlines::thread_group& group : shown_.thread_groups) {
      for (const thread_info* const thread : group.threads) {
        block(" Thread #" + std::to_string(thread->id) + " ");
        stack_lines(group.stack);
        out_ += '\n';
      }
    }
  }

  // One block for each that is known by itself; of a group the last line says how many there are.
  void green_threads() {
    for (const outlines::listed_stack& each : shown_.green_threads.listed) {
      for (std::size_t at = 0; at < each.green_threads.size(); ++at) {
        block(" Green Thread ");
        stack_lines(each.stack);
        out_ += '\n';
      }
    }
    for (const outlines::green_group_outline& each : shown_.green_threads.groups) {
      block(" Green Thread ");
      stack_lines(each.stack);
      out_ += "(" + group_title(*each.source) + ")\n\n";
    }
  }

  void process() {
    const value* const parent = entry_of(shown_.process, "parent");
    const value* const user = entry_of(shown_.process, "user");
    process_line(0, word_of(entry_of(shown_.process, "pid")),
                 word_of(parent == nullptr ? nullptr : entry_of(*parent, "pid")),
                 word_of(user == nullptr ? nullptr : entry_of(*user, "name")) + " (" +
                     word_of(user == nullptr ? nullptr : entry_of(*user, "uid")) + ")",
                 "running");
    if (const value* const children = entry_of(shown_.process, "children"))
      child_lines(*children, word_of(entry_of(shown_.process, "pid")), 1);
  }

  // Who runs a child is not looked up.
  void child_lines(const value& children, const std::string& parent, std::size_t depth) {
    constexpr std::size_t deepest_child = 30;
    const auto* const items = std::get_if<list>(&children.get());
    if (items == nullptr || depth > deepest_child) return;
    for (const value& child : items->items) {
      const std::string pid = word_of(entry_of(child, "pid"));
      process_line(depth, pid, parent, "unknown (unknown uid)", word_of(entry_of(child, "state")));
      if (const value* const below = entry_of(child, "children"))
        child_lines(*below, pid, depth + 1);
    }
  }

  void process_line(std::size_t depth, const std::string& pid, const std::string& parent,
                    const std::string& user, const std::string& state) {
    out_.append(4 * depth, ' ').append("Process ").append(pid);
    out_.append(" (under ").append(parent).append(") [ run by: ").append(user);
    out_.append(", state: ").append(state).append(" ]\n");
  }

  [[nodiscard]] static key_values contents_of(const outlines::option_section& section) {
    key_values options;
    for (const option_entry* const entry : section.options)
      options.add(entry->name, entry->content);
    return options;
  }

  // Options outside any section are in the group "default".
  [[nodiscard]] std::string configuration() const {
    key_values groups;
    for (const outlines::option_section& section : shown_.configuration) {
      groups.add(section.name.empty() ? std::string{"default"} : std::string{section.name},
                 contents_of(section));
    }
    return oslo_tree(std::move(groups), ": ");
  }

  // What the original does not have.
  void findings() {
    out_ += "Cause: " + texts::printable(shown_.source->cause) + "\n";
    out_ += "Time: " + texts::utc_time(shown_.source->time) + "\n";
    for (const outlines::finding_outline& each : shown_.findings)
      out_.append(to_string(each.source->kind))
          .append(": ")
          .append(texts::printable(each.source->text))
          .append("\n");
    for (const std::string& note : shown_.all_notes)
      out_ += "Note: " + texts::printable(note) + "\n";
  }

  const outlines::outline& shown_;
  path_shortener paths_;
  std::string out_;
};

}  // namespace

std::string to_oslo(const outlines::outline& shown) {
  return oslo_view{shown}.draw();
}

}  // namespace gmr::views
