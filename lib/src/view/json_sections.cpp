#include "view/json_sections.hpp"

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace gmr::views {

// By section, in order of appearance; an option that was added twice counts as added last.
void write_configuration(json_output& out, const std::vector<option_entry>& options) {
  std::vector<std::string_view> order;
  std::unordered_map<std::string_view, std::map<std::string_view, const option_entry*>> sections;
  for (const option_entry& option : options) {
    auto& section = sections[option.section];
    if (section.empty()) order.push_back(option.section);
    section[option.name] = &option;
  }
  out.begin_object();
  for (const std::string_view section : order) {
    out.free_key(section);
    out.begin_object();
    for (const auto& [name, option] : sections[section]) {
      out.free_key(name);
      out.begin_object();
      out.key("value");
      out.tree(option->content);
      out.key("source");
      out.text(option->source);
      out.end_object();
    }
    out.end_object();
  }
  out.end_object();
}

// Two sections may have the same title; two keys may not.
void write_sections(json_output& out, const std::vector<custom_section>& sections) {
  std::unordered_set<std::string> taken;
  out.begin_object();
  for (const custom_section& section : sections) {
    std::string title = section.title;
    for (int number = 2; !taken.insert(title).second; ++number)
      title = section.title + " (" + std::to_string(number) + ")";
    out.free_key(title);
    if (section.error.empty()) {
      out.tree(section.content);
    } else {
      out.begin_object();
      out.key("error");
      out.text(section.error);
      out.end_object();
    }
  }
  out.end_object();
}

}  // namespace gmr::views
