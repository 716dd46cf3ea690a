#include "analyse/stack_use.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace gmr::analyse {
namespace {

constexpr std::size_t most_pages = 4096;

}  // namespace

std::optional<stack_bounds> bounds_of(const green_thread_view& view) noexcept {
  if (view.machine != nullptr) return stack_bounds{view.machine->low, view.machine->high};
  if (view.running_low >= view.running_high) return std::nullopt;
  return stack_bounds{view.running_low, view.running_high};
}

std::optional<std::uint64_t> high_water_bytes(std::uint64_t low, std::uint64_t high) noexcept {
  static const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  // The page that the stack begins in is also that of the allocator's words below it: it says
  // nothing.
  const std::uint64_t first = (low + page - 1) / page * page;
  if (first >= high || high - first > most_pages * page) return std::nullopt;
  const std::uint64_t pages = (high - first + page - 1) / page;
  std::array<unsigned char, most_pages> in_memory;
  if (mincore(reinterpret_cast<void*>(first), pages * page, in_memory.data()) != 0)
    return std::nullopt;
  const auto* const end = in_memory.data() + pages;
  const auto* const used = std::find_if(static_cast<const unsigned char*>(in_memory.data()), end,
                                        [](unsigned char state) { return (state & 1U) != 0; });
  if (used == end) return 0;
  if (used == in_memory.data()) return high - low;  // perhaps into that page, too
  return high - first - static_cast<std::uint64_t>(used - in_memory.data()) * page;
}

}  // namespace gmr::analyse
