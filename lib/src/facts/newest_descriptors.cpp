// The descriptors with the highest numbers. The kernel gives the lowest number that is free, so
// where descriptors are left open, these are the ones that were left open last.
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "analyse/descriptor.hpp"
#include "facts/process_parts.hpp"
#include "os/files.hpp"

namespace gmr::facts {
namespace {

constexpr std::size_t shown = 8;
constexpr int most_looked_at = 100'000;

std::optional<int> number_of(const char* name) {
  int number = 0;
  const char* const end = name + std::strlen(name);
  const auto [rest, error] = std::from_chars(name, end, number);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return number;
}

}  // namespace

value newest_descriptors() {
  std::array<int, shown> highest{};
  highest.fill(-1);
  os::directory_names names{AT_FDCWD, "/proc/self/fd"};
  for (int looked_at = 0; looked_at < most_looked_at; ++looked_at) {
    const char* const name = names.next();
    if (name == nullptr) break;
    const std::optional<int> number = number_of(name);
    if (!number || *number <= highest.back()) continue;
    highest.back() = *number;
    std::ranges::sort(highest, std::ranges::greater{});
  }
  table newest{{"descriptor", "what"}, {}};
  for (const int each : highest) {
    if (each < 0) continue;
    // Empty: closed again, such as the one of this very listing.
    if (std::string what = analyse::describe_descriptor(each); !what.empty())
      newest.rows.push_back({each, std::move(what)});
  }
  return newest;
}

}  // namespace gmr::facts
