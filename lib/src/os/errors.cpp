#include "os/errors.hpp"

#include <string.h>

namespace gmr::os {

std::string error_text(int error) {
  const char* const known = ::strerrordesc_np(error);
  return known != nullptr ? known : "error " + std::to_string(error);
}

const char* bare_error_text(int error) noexcept {
  const char* const known = ::strerrordesc_np(error);
  return known != nullptr ? known : "unknown error";
}

}  // namespace gmr::os
