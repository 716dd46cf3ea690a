#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace gmr_command::differences {

struct table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as many cells as the header, or fewer
};

// Columns as wide as they have to be; the last one may be of any width. Nothing for a table without
// rows.
void print(std::ostream& to, const table& shown);

}  // namespace gmr_command::differences
