#include "os/signals.hpp"

#include <sys/auxv.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

namespace gmr::os {
namespace {

std::optional<int> parse_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Those between the standard signals and SIGRTMIN belong to the C library.
bool exists(int number) {
  return (number >= 1 && number <= SIGSYS) || (number >= SIGRTMIN && number <= SIGRTMAX);
}

std::optional<int> checked(std::optional<int> number) {
  return number && exists(*number) ? number : std::nullopt;
}

// RTMIN, RTMIN+3, RTMAX, RTMAX-2
std::optional<int> parse_real_time(std::string_view name) {
  const bool from_first = name.starts_with("RTMIN");
  if (!from_first && !name.starts_with("RTMAX")) return std::nullopt;
  name.remove_prefix(5);
  const int base = from_first ? SIGRTMIN : SIGRTMAX;
  if (name.empty()) return base;
  if (name.front() != (from_first ? '+' : '-') || name.size() > 3) return std::nullopt;
  const std::optional<int> distance = parse_number(name.substr(1));
  if (!distance || *distance < 0) return std::nullopt;
  const int number = from_first ? base + *distance : base - *distance;
  return number >= SIGRTMIN && number <= SIGRTMAX ? std::optional{number} : std::nullopt;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
  if (const std::optional<int> number = parse_number(text)) return checked(number);
  std::string upper{text};
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= SIGSYS; ++number) {
    const char* const known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return parse_real_time(name);
}

std::string signal_name(int number) {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return number == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(number - SIGRTMIN);
  }
  const char* const known = exists(number) ? ::sigabbrev_np(number) : nullptr;
  return known != nullptr ? "SIG" + std::string(known) : std::to_string(number);
}

std::string signal_name_and_number(int number) {
  const std::string name = signal_name(number);
  const std::string digits = std::to_string(number);
  return name == digits ? name : name + " (" + digits + ")";
}

std::size_t least_signal_stack() noexcept {
  constexpr unsigned long minimum = 51;  // AT_MINSIGSTKSZ, which older headers do not have
  return ::getauxval(minimum);
}

}  // namespace gmr::os
