#include "reporter/known_configuration.hpp"

#include <algorithm>
#include <utility>

namespace gmr {

void known_configuration::add(std::vector<option_entry> options, std::vector<std::string> secrets) {
  const std::lock_guard lock{mutex_};
  for (option_entry& option : options) {
    const auto known = std::ranges::find_if(options_, [&](const option_entry& each) {
      return each.section == option.section && each.name == option.name;
    });
    if (known == options_.end())
      options_.push_back(std::move(option));
    else
      *known = std::move(option);
  }
  for (std::string& secret : secrets)
    secrets_.push_back(std::move(secret));
}

std::vector<option_entry> known_configuration::options() const {
  const std::lock_guard lock{mutex_};
  return options_;
}

std::vector<std::string> known_configuration::secrets() const {
  const std::lock_guard lock{mutex_};
  return secrets_;
}

}  // namespace gmr
