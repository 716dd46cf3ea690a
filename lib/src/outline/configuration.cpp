// The configuration and the sections of the service.
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "outline/arrange.hpp"

namespace gmr::outlines {

std::vector<option_section> arrange_options(const std::vector<option_entry>& options) {
  std::vector<option_section> sections;
  std::unordered_map<std::string_view, std::size_t> places;  // of sections
  std::vector<std::unordered_map<std::string_view, std::size_t>> places_within;
  for (const option_entry& option : options) {
    const auto [section, is_new] = places.try_emplace(option.section, sections.size());
    if (is_new) {
      sections.push_back({option.section, {}});
      places_within.emplace_back();
    }
    std::vector<const option_entry*>& entries = sections[section->second].options;
    const auto [place, is_first] =
        places_within[section->second].try_emplace(option.name, entries.size());
    if (is_first)
      entries.push_back(&option);
    else
      entries[place->second] = &option;
  }
  return sections;
}

std::vector<section_outline> arrange_sections(const std::vector<custom_section>& sections) {
  std::vector<section_outline> out;
  std::unordered_set<std::string> taken;
  for (const custom_section& section : sections) {
    std::string title = section.title;
    for (int number = 2; !taken.insert(title).second; ++number)
      title = section.title + " (" + std::to_string(number) + ")";
    out.push_back({std::move(title), &section});
  }
  return out;
}

}  // namespace gmr::outlines
