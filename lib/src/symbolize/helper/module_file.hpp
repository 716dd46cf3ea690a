// The file that a module of the service was loaded from.
#pragma once

#include "os/modules.hpp"
#include "symbolize/wire.hpp"
#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

struct found_file {
  unwind::elf_image image;  // null inside unless it was found
  module_file state = module_file::missing;
  int error = 0;
};

// Through the descriptor that the program was started with, by the module's path, or, with
// privileges, through the service's map of it.
[[nodiscard]] found_file find_module_file(const os::module& loaded);

}  // namespace gmr::symbolize
