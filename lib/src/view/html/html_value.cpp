// Trees of values and the configuration.
#include <cstddef>

#include "view/html/html_parts.hpp"
#include "view/overloaded.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

constexpr int deepest_html = 30;

void write_nested(html_output& out, const value& content, std::string_view name, int depth);

// `unit` is the name of the whole when that has a unit: memory_bytes with resident, peak, ...
void write_pairs(html_output& out, const key_values& pairs, std::string_view unit, int depth) {
  if (pairs.entries.empty()) {
    out << "<p class=note>empty</p>";
    return;
  }
  out << "<dl>";
  for (const auto& [name, content] : pairs.entries) {
    out << "<div><dt>";
    out.text(name) << "</dt><dd>";
    const std::string_view known = names_unit(name) || is_container(content) ? name : unit;
    write_nested(out, content, known, depth + 1);
    out << "</dd></div>";
  }
  out << "</dl>";
}

void write_items(html_output& out, const list& items, int depth) {
  if (items.items.empty()) {
    out << "<p class=note>empty</p>";
    return;
  }
  out << "<ul>";
  for (const value& item : items.items) {
    out << "<li>";
    write_nested(out, item, {}, depth + 1);
  }
  out << "</ul>";
}

void write_rows(html_output& out, const table& rows, int depth) {
  out << "<div class=wide role=region aria-label=Table tabindex=0><table><thead><tr>";
  for (const std::string& column : rows.columns) {
    out << "<th scope=col>";
    out.text(column);
  }
  out << "</thead><tbody>\n";
  for (const std::vector<value>& row : rows.rows) {
    out << "<tr>";
    for (std::size_t column = 0; column < rows.columns.size(); ++column) {
      out << "<td>";
      if (column < row.size() && !row[column].is_null())
        write_nested(out, row[column], rows.columns[column], depth + 1);
    }
    out << "\n";
  }
  out << "</tbody></table></div>";
  if (rows.rows.empty()) out << "<p class=note>no rows</p>";
}

void write_nested(html_output& out, const value& content, std::string_view name, int depth) {
  if (depth > deepest_html) {
    out << "<p class=note>nested too deep to show</p>";
    return;
  }
  const auto write = overloaded{
      [&](const list& items) { write_items(out, items, depth); },
      [&](const key_values& pairs) {
        write_pairs(out, pairs, names_unit(name) ? name : std::string_view{}, depth);
      },
      [&](const table& rows) { write_rows(out, rows, depth); },
      [&](const gmr::text& block) {
        out << "<pre>";
        out.text(block.content, texts::line_breaks::keep) << "</pre>";
      },
      [&](const auto&) { out.text(named_scalar(name, content)); },
  };
  std::visit(write, content.get());
}

}  // namespace

void write_value(html_output& out, const value& content) {
  if (content.is_null())
    out << "<p class=note>empty</p>";
  else
    write_nested(out, content, {}, 0);
}

void write_configuration(html_output& out, const std::vector<outlines::option_section>& sections) {
  if (sections.empty()) {
    out << "<p class=note>none given to the reporter</p>";
    return;
  }
  out << "<p class=script hidden><label>Filter <input type=search id=filter></label> "
         "<output id=filtered></output></p>"
         "<div class=wide role=region aria-label=Options tabindex=0><table id=options><thead><tr>"
         "<th scope=col>Section<th scope=col>Option<th scope=col>Value<th scope=col>Source"
         "</thead><tbody>\n";
  for (const outlines::option_section& section : sections) {
    for (const option_entry* const entry : section.options) {
      out << "<tr><td>";
      out.text(section.name) << "<th scope=row>";
      out.text(entry->name) << "<td>";
      out.text(inline_text(entry->content)) << "<td>";
      out.text(entry->source) << "\n";
    }
  }
  out << "</tbody></table></div>";
}

}  // namespace gmr::views
