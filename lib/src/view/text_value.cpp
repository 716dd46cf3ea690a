#include "view/text_value.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "text/printable.hpp"
#include "text/quantities.hpp"
#include "view/overloaded.hpp"
#include "view/text_table.hpp"

namespace gmr::views {
namespace {

constexpr int deepest_shown = 30;
constexpr std::size_t widest_name = 28;  // names up to here align their values

void show_nested(page& out, std::size_t indent, const value& content, std::string_view name,
                 int depth);

std::optional<double> as_number(const value& content) {
  return std::visit(
      overloaded{
          [](std::int64_t number) { return std::optional{static_cast<double>(number)}; },
          [](std::uint64_t number) { return std::optional{static_cast<double>(number)}; },
          [](double number) { return std::optional{number}; },
          [](const auto&) { return std::optional<double>{}; },
      },
      content.get());
}

std::string number_text(double number) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

std::string scalar_text(const value& content) {
  return std::visit(overloaded{
                        [](std::nullptr_t) { return std::string{"none"}; },
                        [](bool scalar) { return std::string{scalar ? "true" : "false"}; },
                        [](const std::string& scalar) { return texts::printable(scalar); },
                        [](const text& block) { return texts::printable(block.content); },
                        [](std::int64_t scalar) { return std::to_string(scalar); },
                        [](std::uint64_t scalar) { return std::to_string(scalar); },
                        [](double scalar) { return number_text(scalar); },
                        [](const auto&) { return std::string{}; },
                    },
                    content.get());
}

std::string row_text(const table& content, const std::vector<value>& row, int depth) {
  std::string out = "{";
  for (std::size_t column = 0; column < std::min(row.size(), content.columns.size()); ++column) {
    out.append(column == 0 ? "" : ", ")
        .append(texts::printable(content.columns[column]))
        .append(": ");
    out += inline_text(row[column], content.columns[column], depth + 1);
  }
  return out + "}";
}

// `unit` is the name of the whole when that has a unit: memory_bytes with resident, peak, ...
void show_pairs(page& out, std::size_t indent, const key_values& pairs, std::string_view unit,
                int depth) {
  std::size_t widest = 0;
  for (const auto& [name, content] : pairs.entries) {
    const std::size_t width = texts::columns(texts::printable(name));
    if (!is_container(content) && width <= widest_name) widest = std::max(widest, width);
  }
  for (const auto& [name, content] : pairs.entries) {
    std::string line = texts::printable(name) + ":";
    if (is_container(content)) {
      out.line(indent, line);
      show_nested(out, indent + 2, content, name, depth + 1);
      continue;
    }
    line.append(widest + 2 - std::min(widest + 1, texts::columns(line)), ' ');
    out.line(indent, line + named_scalar(names_unit(name) ? name : unit, content));
  }
  if (pairs.entries.empty()) out.line(indent, "(empty)");
}

void show_list(page& out, std::size_t indent, const list& items, int depth) {
  for (const value& item : items.items) {
    if (is_container(item)) {
      out.unbroken(indent, "-");
      show_nested(out, indent + 2, item, {}, depth + 1);
    } else {
      out.line(indent, "- " + scalar_text(item));
    }
  }
  if (items.items.empty()) out.line(indent, "(empty)");
}

void show_nested(page& out, std::size_t indent, const value& content, std::string_view name,
                 int depth) {
  if (depth > deepest_shown) return out.line(indent, "(nested too deep to show)");
  const auto show = overloaded{
      [&](const list& items) { show_list(out, indent, items, depth); },
      [&](const key_values& pairs) {
        show_pairs(out, indent, pairs, names_unit(name) ? name : std::string_view{}, depth);
      },
      [&](const table& rows) { show_table(out, indent, rows); },
      [&](const text& block) { out.text(indent, block.content); },
      [&](const auto&) { out.line(indent, scalar_text(content)); },
  };
  std::visit(show, content.get());
}

}  // namespace

bool is_container(const value& content) {
  return std::holds_alternative<list>(content.get()) ||
         std::holds_alternative<key_values>(content.get()) ||
         std::holds_alternative<table>(content.get()) ||
         std::holds_alternative<text>(content.get());
}

bool names_unit(std::string_view name) {
  return name.ends_with("_bytes") || name.ends_with("_seconds");
}

std::string named_scalar(std::string_view name, const value& content) {
  const std::optional<double> number = as_number(content);
  if (number && name.ends_with("_bytes"))
    return *number < 1024 ? texts::human_bytes(*number)
                          : texts::human_bytes(*number) + " (" + scalar_text(content) + ")";
  if (number && name.ends_with("_seconds")) return texts::human_duration(*number);
  return scalar_text(content);
}

std::string inline_text(const value& content, std::string_view name, int depth) {
  if (depth > deepest_shown) return "(nested too deep to show)";
  std::string out;
  if (const auto* const items = std::get_if<list>(&content.get())) {
    for (const value& item : items->items)
      out.append(out.empty() ? "[" : ", ").append(inline_text(item, {}, depth + 1));
    return out.empty() ? "[]" : out + "]";
  }
  if (const auto* const pairs = std::get_if<key_values>(&content.get())) {
    for (const auto& [key, entry] : pairs->entries)
      out.append(out.empty() ? "{" : ", ")
          .append(texts::printable(key) + ": " + inline_text(entry, key, depth + 1));
    return out.empty() ? "{}" : out + "}";
  }
  if (const auto* const rows = std::get_if<table>(&content.get())) {
    for (const std::vector<value>& row : rows->rows)
      out.append(out.empty() ? "[" : ", ").append(row_text(*rows, row, depth));
    return out.empty() ? "[]" : out + "]";
  }
  return named_scalar(name, content);
}

void show_tree(page& out, std::size_t indent, const value& content) {
  show_nested(out, indent, content, {}, 0);
}

}  // namespace gmr::views
