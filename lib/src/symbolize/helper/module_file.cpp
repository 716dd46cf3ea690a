#include "symbolize/helper/module_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "os/hidden_process.hpp"

namespace gmr::symbolize {
namespace {

using unwind::elf_image;

std::vector<std::string> places_of(const os::module& loaded) {
  std::vector<std::string> places;
  if (loaded.kind == os::module_kind::executable)
    places.push_back("/proc/self/fd/" + std::to_string(os::hidden_process_executable));
  places.push_back(loaded.path);
  const std::string map = unwind::map_file_of(loaded);
  // The keeper shares the service's memory.
  if (!map.empty()) places.push_back("/proc/" + std::to_string(::getppid()) + map);
  return places;
}

}  // namespace

found_file find_module_file(const os::module& loaded) {
  found_file result;
  for (const std::string& place : places_of(loaded)) {
    errno = 0;
    elf_image image = elf_image::open(place, elf_image::access::map);
    if (image.get() == nullptr) {
      if (place == loaded.path) result.error = errno;
    } else if (unwind::is_file_of(image.get(), loaded)) {
      result.image = std::move(image);
      result.state = module_file::found;
      result.error = 0;
      return result;
    } else if (place == loaded.path) {
      result.state = module_file::replaced;
    }
  }
  return result;
}

}  // namespace gmr::symbolize
