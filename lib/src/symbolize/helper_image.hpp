// The helper program, built with the library and kept in it: a service needs no file for it.
#pragma once

#include <cstddef>
#include <span>

namespace gmr::symbolize {

[[nodiscard]] std::span<const std::byte> helper_image() noexcept;

}  // namespace gmr::symbolize
