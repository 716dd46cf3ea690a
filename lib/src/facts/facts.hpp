// What every report says of the program and its process.
#pragma once

#include <string>
#include <vector>

#include "analyse/socket_list.hpp"
#include "gmr/model/report.hpp"
#include "os/modules.hpp"

namespace gmr::facts {

// Whether what the compiler says of this library is so of the program, too. Not of one that the
// library was loaded into.
enum class built_program { with_library, elsewhere };

// The Package section: the package, build id of the executable, compiler, Boost, OS. Of a program
// that was built elsewhere the compiler is not known, and Boost only by its libraries that are
// loaded.
[[nodiscard]] value package_section(const package& software, const os::module_table& modules,
                                    built_program program = built_program::with_library);

// The Process section: pid, parent, user, command line (secrets masked), start time, uptime, CPU
// time, memory, open descriptors, threads, limits, children as a tree. What can't be read is null
// and said under "unavailable"; never throws for it. `secret_options` are masked in the command
// line beside those that look secret (see secret_option_names). `sockets` knows the addresses of
// those that are shown.
[[nodiscard]] value process_section(analyse::socket_list& sockets,
                                    const std::vector<std::string>& secret_options = {});

// The name of this host, as the kernel has it: no name is resolved.
[[nodiscard]] std::string host_name();

}  // namespace gmr::facts
