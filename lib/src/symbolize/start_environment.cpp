#include "symbolize/start_environment.hpp"

#include <array>
#include <string_view>

namespace gmr::symbolize {
namespace {

constexpr std::array<std::string_view, 5> kept_names{
    "LD_LIBRARY_PATH=", "DEBUGINFOD_URLS=", "DEBUGINFOD_CACHE_PATH=", "XDG_CACHE_HOME=", "HOME="};

// Copies: a program that shows a title of its own (setproctitle) writes over what it was given.
struct kept_variable {
  std::array<char, 4096> text{};
  std::size_t size = 0;
};
constinit std::array<kept_variable, kept_names.size()> kept{};

// As the library is initialised, when nobody changes anything yet.
[[gnu::constructor]] void keep_environment(int, char**, char** environment) noexcept {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    for (std::size_t i = 0; i < kept_names.size(); ++i)
      if (variable.starts_with(kept_names[i]) && variable.size() <= kept[i].text.size())
        kept[i].size = variable.copy(kept[i].text.data(), variable.size());
  }
}

}  // namespace

std::vector<std::string> environment_of_helper() {
  std::vector<std::string> result;
  for (const kept_variable& each : kept)
    if (each.size != 0) result.emplace_back(each.text.data(), each.size);
  return result;
}

}  // namespace gmr::symbolize
