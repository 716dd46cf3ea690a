// What the service told about its options.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gmr/options/options.hpp"

namespace gmr {

// Grows while the service starts; an option that is there already is replaced. Safe to use from any
// thread; a thread that is stuck in the allocator while it adds something keeps no report waiting.
class known_configuration final {
 public:
  void add(std::vector<option_entry> options, std::vector<std::string> secrets);
  [[nodiscard]] std::vector<option_entry> options() const { return current()->options; }
  [[nodiscard]] std::vector<std::string> secrets() const { return current()->secrets; }

 private:
  struct content {
    std::vector<option_entry> options;
    std::vector<std::string> secrets;  // names of options whose values are never shown
  };

  [[nodiscard]] std::shared_ptr<const content> current() const;

  std::mutex adding_;
  mutable std::mutex mutex_;  // nothing is allocated with it
  std::shared_ptr<const content> content_ = std::make_shared<content>();
};

}  // namespace gmr
