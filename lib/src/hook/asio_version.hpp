// The namespace that Asio may have its version and settings in: boost::asio::v103802_kmn::detail.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gmr::trace {

// The name as it is without that namespace. Readers know Asio's functions and types by it, and so
// do all rules that go by names.
inline std::string without_asio_version(std::string name) {
  constexpr std::string_view before = "boost::asio::v";
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view tag = "0123456789_abcdefghijklmnopqrstuvwxyz";
  for (std::size_t at = 0; (at = name.find(before, at)) != name.npos;) {
    at += before.size() - 1;
    if (name.find_first_not_of(digits, at + 1) == at + 1) continue;  // "boost::asio::value"
    const std::size_t end = name.find_first_not_of(tag, at + 1);
    if (end != name.npos && name.compare(end, 2, "::") == 0) name.erase(at, end + 2 - at);
  }
  return name;
}

}  // namespace gmr::trace
