#include "view/text_table.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "text/printable.hpp"
#include "view/text_value.hpp"

namespace gmr::views {
namespace {

constexpr std::size_t least_cell_columns = 20;  // of a column that is cut to make the table fit

struct cell {
  std::string text;
  std::size_t width = 0;
  bool is_cut = false;
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

  [[nodiscard]] std::size_t width() const {
    const std::size_t gaps = 2 * std::max<std::size_t>(widths.size(), 1) - 2;
    return std::accumulate(widths.begin(), widths.end(), gaps);
  }
  [[nodiscard]] std::size_t cut_cells() const {
    std::size_t count = 0;
    for (const std::vector<cell>& row : rows)
      count += static_cast<std::size_t>(
          std::count_if(row.begin(), row.end(), [](const cell& each) { return each.is_cut; }));
    return count;
  }
};

void cut(cell& content, std::size_t most) {
  if (content.width <= most) return;
  content = {std::string{texts::first_columns(content.text, most - 3)} + "...", most, true};
}

cell make_cell(std::string text) {
  const std::size_t width = texts::columns(text);
  cell made{std::move(text), width};
  cut(made, most_cell_columns);
  return made;
}

layout lay_out(const table& content) {
  layout out;
  const std::size_t count = content.columns.size();
  out.to_the_right.assign(count, true);
  std::vector<cell>& titles = out.rows.emplace_back();
  for (const std::string& title : content.columns)
    titles.push_back(make_cell(texts::printable(title)));
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
      cells.push_back(make_cell(std::move(text)));
      out.widths[column] = std::max(out.widths[column], cells.back().width);
      if (!entry.is_null() && !is_number(entry)) out.to_the_right[column] = false;
    }
  }
  return out;
}

// Takes from the widest columns until the table fits into `room`; not where too little of them
// would be left.
void fit(layout& all, std::size_t room) {
  std::vector<std::size_t> widths = all.widths;
  for (std::size_t total = all.width(); total > room; --total) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= least_cell_columns) return;
    --*widest;
  }
  all.widths = widths;
  for (std::vector<cell>& row : all.rows)
    for (std::size_t column = 0; column < row.size(); ++column)
      cut(row[column], widths[column]);
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
  layout all = lay_out(content);
  const std::size_t room = page::width - std::min(indent, page::width);
  fit(all, room);
  const bool records = all.width() > room;
  for (std::size_t row = records ? 1 : 0; row < all.rows.size(); ++row)
    (records ? show_record : show_row)(out, indent, all, all.rows[row]);
  if (content.rows.empty()) out.line(indent, "(no rows)");
  if (content.rows.size() > most_rows)
    out.line(indent, "(" + counted(content.rows.size() - most_rows, "row") +
                         " more than the first " + std::to_string(most_rows) +
                         "; the JSON report has them all)");
  if (const std::size_t count = all.cut_cells(); count != 0)
    out.line(indent, "(" + counted(count, "cell") + " cut; the JSON report has them whole)");
}

}  // namespace gmr::views
