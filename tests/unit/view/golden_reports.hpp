// Whole reports as services make them, by the same builder for every view.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr::views::test {

struct golden_report {
  std::string name;  // of its files in golden/
  // Builds it. It keeps the frames that its stacks point to.
  report (*make)();
};

// For GoogleTest, which would name a test by its bytes.
inline void PrintTo(const golden_report& each, std::ostream* out) {
  *out << each.name;
}

// idle, deadlock, fibers, tree, refused.
[[nodiscard]] const std::vector<golden_report>& golden_reports();

}  // namespace gmr::views::test
