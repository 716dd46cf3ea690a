// Words of reports that come from several places.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gmr/model/report.hpp"

namespace gmr {

// What the library itself asks for a report for. A service gives its own words (reporter::request).
enum class cause_kind : std::uint8_t { signal, touched_file, stall, mark, socket };

// What a report shows as its cause: "signal SIGUSR2", "file /run/report touched",
// "stall: event loop orders has run nothing for 1.0 s", "socket, pid 7, user root".
[[nodiscard]] std::string cause_text(cause_kind kind, std::string_view what);

// The words by which a report's form is asked for, in options and requests.
template <class Enumeration>
struct choice_word {
  std::string_view word;
  Enumeration meaning;
};
inline constexpr std::array format_words{
    choice_word<report_format>{"text", report_format::text},
    choice_word<report_format>{"json", report_format::json},
    choice_word<report_format>{"html", report_format::html},
    choice_word<report_format>{"oslo", report_format::oslo},
};
inline constexpr std::array list_words{
    choice_word<report_list>{"groups", report_list::groups},
    choice_word<report_list>{"each", report_list::each},
    choice_word<report_list>{"tree", report_list::tree},
};
inline constexpr std::array order_words{
    choice_word<group_order>{"suspicious", group_order::suspicious},
    choice_word<group_order>{"oldest", group_order::oldest},
    choice_word<group_order>{"largest", group_order::largest},
};

// "one of groups, each, tree is needed", of any such words.
template <class Words>
[[nodiscard]] std::string choices_text(const Words& words) {
  std::string out;
  for (const auto& each : words)
    out.append(out.empty() ? "one of " : ", ").append(each.word);
  return out + " is needed";
}

}  // namespace gmr
