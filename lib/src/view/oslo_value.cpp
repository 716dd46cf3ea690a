#include "view/oslo_value.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "text/printable.hpp"
#include "view/overloaded.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t oslo_columns = 72;
constexpr int deepest_oslo = 30;

// Python's words, as scripts know them.
std::string oslo_scalar(const value& content) {
  if (content.is_null()) return "None";
  if (const bool* const truth = std::get_if<bool>(&content.get())) return *truth ? "True" : "False";
  return named_scalar({}, content);
}

class oslo_writer final {
 public:
  explicit oslo_writer(std::string_view after_name) : after_name_(after_name) {}

  void write(const value& content, std::string_view name, bool has_name, int depth) {
    if (depth > deepest_oslo) return line(depth, "(nested too deep to show)");
    const auto show = overloaded{
        [&](const key_values& pairs) { dictionary(pairs, name, has_name, depth); },
        [&](const list& items) {
          if (has_name) line(depth, texts::printable(name) + " = ");
          for (const value& item : items.items)
            write(item, {}, false, has_name ? depth + 1 : depth);
        },
        [&](const table& rows) {
          if (has_name) line(depth, texts::printable(name) + " = ");
          write_table(rows);
        },
        [&](const gmr::text& block) {
          if (has_name) line(depth, texts::printable(name).append(after_name_));
          lines(has_name ? depth + 1 : depth, block.content);
        },
        [&](const auto&) {
          const std::string shown = oslo_scalar(content);
          line(depth, has_name ? texts::printable(name) + " = " + shown : shown);
        },
    };
    std::visit(show, content.get());
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void line(int depth, std::string_view content) {
    out_.append(2 * static_cast<std::size_t>(std::max(depth, 0)), ' ').append(content).append("\n");
  }

  void lines(int depth, std::string_view content) {
    while (content.ends_with('\n'))
      content.remove_suffix(1);
    std::string shown = texts::printable(content, texts::line_breaks::keep);
    for (std::string_view rest = shown; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      line(depth, rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void dictionary(const key_values& pairs, std::string_view name, bool has_name, int depth) {
    if (has_name) {
      if (after_name_ == ": ") out_ += '\n';
      line(depth, texts::printable(name).append(after_name_));
    } else if (depth > 0) {
      line(depth, "[dict]");
    }
    std::vector<const std::pair<std::string, value>*> ordered;
    ordered.reserve(pairs.entries.size());
    for (const auto& entry : pairs.entries)
      ordered.push_back(&entry);
    std::ranges::stable_sort(ordered, {}, [](const auto* entry) { return entry->first; });
    for (const auto* const entry : ordered)
      write(entry->second, entry->first, true, has_name || depth > 0 ? depth + 1 : depth);
  }

  void write_table(const table& rows) {
    if (rows.columns.empty()) return;
    const std::size_t count = rows.columns.size();
    const std::size_t width =
        std::max<std::size_t>((oslo_columns + 1 - std::min(count, oslo_columns)) / count, 1);
    const auto row_text = [&](const auto& cell_of) {
      std::string text;
      for (std::size_t column = 0; column < count; ++column)
        text.append(column == 0 ? "" : "|").append(centered(cell_of(column), width));
      text.append(oslo_columns - std::min(oslo_columns, texts::columns(text)), ' ');
      out_.append(text).append("\n");
    };
    row_text([&](std::size_t column) { return texts::printable(rows.columns[column]); });
    out_.append(oslo_columns, '-').append("\n");
    for (const std::vector<value>& row : rows.rows)
      row_text([&](std::size_t column) {
        if (column >= row.size()) return std::string{"None"};
        return is_container(row[column]) ? inline_text(row[column]) : oslo_scalar(row[column]);
      });
  }

  std::string_view after_name_;
  std::string out_;
};

}  // namespace

std::string centered(std::string_view content, std::size_t width) {
  const std::size_t blanks = width - std::min(width, texts::columns(content));
  std::string out(blanks / 2, ' ');
  return out.append(content).append(blanks - blanks / 2, ' ');
}

std::string oslo_tree(const value& content, std::string_view after_name) {
  oslo_writer writer{after_name};
  writer.write(content, {}, false, 0);
  return writer.take();
}

}  // namespace gmr::views
