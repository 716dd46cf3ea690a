#include "reporter/known_configuration.hpp"

#include <utility>

namespace gmr {

void known_configuration::add(std::vector<option_entry> options, std::vector<std::string> secrets) {
  const std::lock_guard lock{mutex_};
  for (option_entry& option : options)
    options_.push_back(std::move(option));
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
