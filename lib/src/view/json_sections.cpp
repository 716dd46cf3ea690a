#include "view/json_sections.hpp"

namespace gmr::views {

void write_configuration(json_output& out, const std::vector<outlines::option_section>& sections) {
  out.begin_object();
  for (const outlines::option_section& section : sections) {
    out.free_key(section.name);
    out.begin_object();
    for (const option_entry* const option : section.options) {
      out.free_key(option->name);
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

void write_sections(json_output& out, const std::vector<outlines::section_outline>& sections) {
  out.begin_object();
  for (const outlines::section_outline& shown : sections) {
    out.free_key(shown.title);
    if (shown.source->error.empty()) {
      out.tree(shown.source->content);
    } else {
      out.begin_object();
      out.key("error");
      out.text(shown.source->error);
      out.end_object();
    }
  }
  out.end_object();
}

}  // namespace gmr::views
