// The parts of the Process section.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyse/socket_list.hpp"
#include "gmr/model/value.hpp"

namespace gmr::facts {

// What could not be read, and why, for the reader of the report.
using unavailable_parts = std::vector<std::string>;

// soft and hard limits that matter: open files, stack, core, address space, processes.
[[nodiscard]] value limits_table(unavailable_parts& unavailable);

// The soft limit of open descriptors; null when there is none.
[[nodiscard]] value descriptor_limit();

// What the open descriptors with the highest numbers are, the highest first: at most eight.
// Null where there are so many that they can't be found in time.
[[nodiscard]] value newest_descriptors(analyse::socket_list& sockets,
                                       unavailable_parts& unavailable);

// Descendants of the process: pid, name, state, children. Bounded: what is left out is counted.
[[nodiscard]] value children_tree(pid_t process, unavailable_parts& unavailable);

}  // namespace gmr::facts
