#include "hook/bare_sources.hpp"

#include "hook/library_copies.hpp"

namespace gmr::trace {
namespace {

constinit std::array<std::atomic<const bare_source*>, most_bare_sources> known_sources{};

}  // namespace

void own::register_bare_source(const bare_source& source) noexcept {
  for (auto& each : known_sources) {
    const bare_source* none = nullptr;
    if (each.compare_exchange_strong(none, &source) || none == &source) return;
  }
}

std::array<const bare_source*, most_bare_sources> own::bare_sources() noexcept {
  std::array<const bare_source*, most_bare_sources> all{};
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = known_sources[i].load();
  return all;
}

}  // namespace gmr::trace
