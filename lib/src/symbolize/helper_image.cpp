#include "symbolize/helper_image.hpp"

// See helper_image.S.
extern "C" {
[[gnu::visibility("hidden")]] extern const std::byte gmr_symbols_image[];
[[gnu::visibility("hidden")]] extern const std::byte gmr_symbols_image_end[];
}

namespace gmr::symbolize {

std::span<const std::byte> helper_image() noexcept {
  return {gmr_symbols_image, gmr_symbols_image_end};
}

}  // namespace gmr::symbolize
