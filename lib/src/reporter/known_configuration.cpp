#include "reporter/known_configuration.hpp"

#include <algorithm>
#include <utility>

namespace gmr {

void known_configuration::add(std::vector<option_entry> options, std::vector<std::string> secrets) {
  const std::lock_guard one_at_a_time{adding_};
  auto next = std::make_shared<content>(*current());
  for (option_entry& option : options) {
    const auto known = std::ranges::find_if(next->options, [&](const option_entry& each) {
      return each.section == option.section && each.name == option.name;
    });
    if (known == next->options.end())
      next->options.push_back(std::move(option));
    else
      *known = std::move(option);
  }
  for (std::string& secret : secrets)
    next->secrets.push_back(std::move(secret));
  std::shared_ptr<const content> before = std::move(next);
  const std::lock_guard lock{mutex_};
  content_.swap(before);
}

std::shared_ptr<const known_configuration::content> known_configuration::current() const {
  const std::lock_guard lock{mutex_};
  return content_;
}

}  // namespace gmr
