// What the open descriptors are, counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr::facts {

struct descriptor_kinds {
  std::vector<std::pair<std::string, std::uint64_t>> kinds;  // the most first
  std::uint64_t looked_at = 0;
  bool is_complete = true;  // false: the time was over
  int error = 0;            // why some are not known: an errno
};

// Asks sockets what they are, and of all else only reads the link in /proc: no file system is
// asked, so none that hangs is waited for; and nothing is asked that needs a socket's lock, which a
// thread that is stuck may hold. Descriptors may come and go meanwhile.
[[nodiscard]] descriptor_kinds count_descriptor_kinds(std::chrono::milliseconds longest);

// One past the largest number that may be in use.
[[nodiscard]] int end_of_descriptors();

// When nine tenths of what the process may open are open; by its Process section.
[[nodiscard]] std::optional<finding> find_descriptors_near_limit(const value& process);

// The number in a tree of key_values, at a path of one name or two; nothing when it has none.
[[nodiscard]] std::optional<double> number_at(const value& tree, std::string_view name,
                                              std::string_view within = {});

}  // namespace gmr::facts
