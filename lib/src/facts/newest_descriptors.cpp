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
#include "facts/descriptor_kinds.hpp"
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

// The listing begins with the lowest numbers: those after its end are tried from above. Nothing
// where too few are found.
std::optional<std::array<int, shown>> try_from_above(int highest_seen) {
  std::array<int, shown> highest{};
  std::size_t found = 0;
  const int end = end_of_descriptors();
  for (int number = end - 1; number > highest_seen && end - number <= most_looked_at; --number) {
    if (::fcntl(number, F_GETFD) < 0) continue;
    highest[found++] = number;
    if (found == shown) return highest;
  }
  return std::nullopt;
}

}  // namespace

value newest_descriptors(analyse::socket_list& sockets, unavailable_parts& unavailable) {
  std::array<int, shown> highest{};
  highest.fill(-1);
  os::directory_names names{AT_FDCWD, "/proc/self/fd"};
  int looked_at = 0;
  while (const char* const name = names.next()) {
    if (++looked_at > most_looked_at) break;
    const std::optional<int> number = number_of(name);
    if (!number || *number <= highest.back()) continue;
    highest.back() = *number;
    std::ranges::sort(highest, std::ranges::greater{});
  }
  if (looked_at > most_looked_at) {
    const auto above = try_from_above(highest.front());
    if (!above) {
      unavailable.emplace_back("newest of open_descriptors: there are more than 100000");
      return {};
    }
    highest = *above;
  }
  table newest{{"descriptor", "what"}, {}};
  for (const int each : highest) {
    if (each < 0) continue;
    // Empty: closed again, such as the one of this very listing.
    if (std::string what = analyse::describe_descriptor(each, sockets); !what.empty())
      newest.rows.push_back({each, std::move(what)});
  }
  return newest;
}

}  // namespace gmr::facts
