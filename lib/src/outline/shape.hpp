// What of a report somebody wants, and how it is to be listed.
#pragma once

#include <cstddef>

#include "gmr/model/report.hpp"
#include "outline/outline.hpp"

namespace gmr {

struct report_shape {
  report_list list = report_list::groups;
  group_order order = group_order::suspicious;
  outlines::part_set parts = outlines::all_parts;

  [[nodiscard]] bool has(outlines::part each) const noexcept {
    return parts.test(static_cast<std::size_t>(each));
  }
  [[nodiscard]] bool has_stacks() const noexcept { return outlines::need_stacks(parts); }

  friend bool operator==(const report_shape&, const report_shape&) = default;
};

}  // namespace gmr
