#include "view/text_table.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "view/printable.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

struct cell {
  std::string text;
  std::size_t width = 0;
};

bool is_number(const value& content) {
  return std::holds_alternative<std::int64_t>(content.get()) ||
         std::holds_alternative<std::uint64_t>(content.get()) ||
         std::holds_alternative<double>(content.get());
}

// What of a table is shown, laid out.
struct layout {
  std::vector<std::vector<cell>> rows;
  std::vector<std::size_t> widths;
  std::vector<bool> to_the_right;
  std::size_t cut_cells = 0;
};

cell make_cell(std::string text, std::size_t& cut) {
  std::size_t width = columns(text);
  if (width > most_cell_columns) {
    text = std::string{first_columns(text, most_cell_columns - 3)} + "...";
    width = most_cell_columns;
    ++cut;
  }
  return {std::move(text), width};
}

layout lay_out(const table& content) {
  layout out;
  const std::size_t count = content.columns.size();
  out.to_the_right.assign(count, true);
  std::vector<cell>& titles = out.rows.emplace_back();
  for (const std::string& title : content.columns)
    titles.push_back(make_cell(printable(title), out.cut_cells));
  for (const cell& title : titles)
    out.widths.push_back(title.width);

  const std::size_t shown = std::min(content.rows.size(), most_rows);
  for (std::size_t index = 0; index < shown; ++index) {
    const std::vector<value>& row = content.rows[index];
    std::vector<cell>& cells = out.rows.emplace_back();
    for (std::size_t column = 0; column < count; ++column) {
      const value empty;
      const value& entry = column < row.size() ? row[column] : empty;
      std::string text = entry.is_null() ? "-" : inline_text(entry, content.columns[column]);
      cells.push_back(make_cell(std::move(text), out.cut_cells));
      out.widths[column] = std::max(out.widths[column], cells.back().width);
      if (!entry.is_null() && !is_number(entry)) out.to_the_right[column] = false;
    }
  }
  return out;
}

void show_row(page& out, std::size_t indent, const layout& all, const std::vector<cell>& cells) {
  std::string line;
  for (std::size_t column = 0; column < cells.size(); ++column) {
    const std::string blanks(all.widths[column] - cells[column].width, ' ');
    if (column != 0) line += "  ";
    line += all.to_the_right[column] ? blanks + cells[column].text : cells[column].text + blanks;
  }
  while (line.ends_with(' '))
    line.pop_back();
  out.unbroken(indent, line);
}

// A row of a table that is too wide for columns: "- queue: orders, depth: 12, ...".
void show_record(page& out, std::size_t indent, const layout& all, const std::vector<cell>& cells) {
  std::string line = "-";
  for (std::size_t column = 0; column < cells.size(); ++column) {
    line.append(column == 0 ? " " : ", ").append(all.rows.front()[column].text).append(": ");
    line += cells[column].text;
  }
  out.line(indent, line);
}

}  // namespace

void show_table(page& out, std::size_t indent, const table& content) {
  const layout all = lay_out(content);
  const std::size_t gaps = 2 * std::max<std::size_t>(all.widths.size(), 1) - 2;
  const std::size_t total = std::accumulate(all.widths.begin(), all.widths.end(), indent + gaps);
  const bool records = total > page::width;
  for (std::size_t row = records ? 1 : 0; row < all.rows.size(); ++row)
    (records ? show_record : show_row)(out, indent, all, all.rows[row]);
  if (content.rows.empty()) out.line(indent, "(no rows)");
  if (content.rows.size() > most_rows)
    out.line(indent, "(" + counted(content.rows.size() - most_rows, "row") +
                         " more than the first " + std::to_string(most_rows) +
                         "; the JSON report has them all)");
  if (all.cut_cells != 0)
    out.line(indent, "(" + counted(all.cut_cells, "cell") + " cut at " +
                         std::to_string(most_cell_columns) +
                         " columns; the JSON report has them whole)");
}

}  // namespace gmr::views
