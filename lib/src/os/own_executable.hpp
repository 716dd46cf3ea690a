// The file that this process runs.
#pragma once

#include <cstdint>

#include "os/file_text.hpp"

namespace gmr::os {

// The path of the file that is mapped at an address, as the kernel knows it; empty when there is
// none.
[[nodiscard]] std::string file_mapped_at(std::uintptr_t address);

// The path of the program. The link in /proc names what was executed, which is the dynamic loader
// where that was given the program as an argument; then, and where the link can't be read, it is
// the file that the program is mapped from.
[[nodiscard]] file_text path_of_executable();

}  // namespace gmr::os
