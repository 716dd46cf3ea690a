#include "diff/table.hpp"

#include <algorithm>
#include <cstddef>
#include <ostream>

namespace gmr_command::differences {
namespace {

void print_row(std::ostream& to, const std::vector<std::string>& cells,
               const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 == cells.size()) break;
    line.append(widths[i] - cells[i].size() + 2, ' ');
  }
  to << line << '\n';
}

}  // namespace

void print(std::ostream& to, const table& shown) {
  if (shown.rows.empty()) return;
  std::vector<std::size_t> widths(shown.header.size(), 0);
  const auto widen = [&widths](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], cells[i].size());
  };
  widen(shown.header);
  std::ranges::for_each(shown.rows, widen);
  to << '\n' << shown.title << '\n';
  print_row(to, shown.header, widths);
  for (const std::vector<std::string>& each : shown.rows)
    print_row(to, each, widths);
}

}  // namespace gmr_command::differences
