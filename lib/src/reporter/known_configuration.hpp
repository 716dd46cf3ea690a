// What the service told about its options.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "gmr/section/options.hpp"

namespace gmr {

// Grows while the service starts; an option that is there already is replaced. Safe to use from any
// thread.
class known_configuration final {
 public:
  void add(std::vector<option_entry> options, std::vector<std::string> secrets);
  [[nodiscard]] std::vector<option_entry> options() const;
  [[nodiscard]] std::vector<std::string> secrets() const;

 private:
  mutable std::mutex mutex_;
  std::vector<option_entry> options_;
  std::vector<std::string> secrets_;  // names of options whose values are never shown
};

}  // namespace gmr
