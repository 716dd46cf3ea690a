#include "symbolize/helper/missing_parts.hpp"

#include <elfutils/version.h>
#include <fcntl.h>

#include <cerrno>

#include "os/errors.hpp"
#include "os/files.hpp"
#include "symbolize/helper/unit_files.hpp"

namespace gmr::symbolize {
namespace {

// 0 when there is such a file.
int error_of(const std::string& path) {
  const int file = os::open_file(AT_FDCWD, path.c_str(), O_RDONLY | O_NONBLOCK);
  if (file < 0) return errno;
  os::close_file(file);
  return 0;
}

}  // namespace

void missing_parts::add(const char* name, const char* folder) {
  if (name == nullptr || ++count_ > 1) return;
  first_ = full_path(name, folder);
  error_ = error_of(first_);
}

std::string missing_parts::problem(const std::string& module) const {
  if (count_ == 0) return {};
  const std::string lost = count_ == 1
                               ? "functions of one unit come from symbols, without inlined calls: "
                               : "functions of " + std::to_string(count_) +
                                     " units come from symbols, without inlined calls: ";
  const std::string package = module + ".dwp";
  if (error_of(package) == 0)
    return lost + package + " can't be read by libdw 0." + std::to_string(_ELFUTILS_VERSION);
  if (error_ == 0) return lost + first_ + " is of another build";
  return lost + first_ + " can't be opened (" + os::error_text(error_) + ")";
}

}  // namespace gmr::symbolize
