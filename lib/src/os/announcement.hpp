// Lets other processes know that a report may be asked for, and how, without asking: a page of
// memory with a name that says so, which /proc/PID/maps shows to the user of the process and to
// root. `gmr report` sends a signal only to who says there that it handles it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gmr::os {

struct announcement {
  int signal = 0;       // that makes a report; 0: none does
  std::string service;  // its name
  std::string socket;   // the address that it answers on, @NAME for an abstract one; empty: none
  std::string log_dir;  // where it writes reports to; empty: standard error
  bool has_other_log_dir = false;  // there is one, and no room to say which
};

// From now on it is said, instead of what was before; in a forked child nothing is. A text that has
// no room, or has a control character, is left out. Where it is refused, nothing is said. Safe to
// call from any thread.
void announce(const announcement& what) noexcept;

// From now on nothing is said. Safe to call from any thread.
void withdraw_announcement() noexcept;

// What a line of /proc/PID/maps says; nothing where it is about something else.
[[nodiscard]] std::optional<announcement> parse_announcement(std::string_view line);

}  // namespace gmr::os
