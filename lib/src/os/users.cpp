#include "os/users.hpp"

#include <charconv>
#include <cstddef>

#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::os {
namespace {

constexpr std::size_t most_bytes = std::size_t{16} << 20;

}  // namespace

std::optional<std::string> find_user(std::string_view passwd, uid_t user) {
  while (!passwd.empty()) {
    std::string_view line = texts::take_line(passwd);
    const std::string_view name = texts::take_until(line, ':');
    static_cast<void>(texts::take_until(line, ':'));  // the password
    const std::string_view digits = texts::take_until(line, ':');
    uid_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc{} && end == digits.data() + digits.size() && number == user &&
        !name.empty())
      return std::string{name};
  }
  return std::nullopt;
}

std::optional<std::string> user_name(uid_t user) {
  return find_user(read_file("/etc/passwd", most_bytes).content, user);
}

}  // namespace gmr::os
