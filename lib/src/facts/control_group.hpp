// The Control Group section: where the process runs, what it may use there, and what it lacks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "facts/group_limits.hpp"
#include "gmr/model/report.hpp"

namespace gmr::facts {

struct control_group_facts {
  value section;  // key_values
  std::vector<finding> findings;
};

// Remembers how often the group had been throttled by the last report, and first by when it was
// made itself. Not synchronised.
class control_group_reader final {
 public:
  using clock = std::chrono::steady_clock;

  // `root`: the directory below which /proc and all mounts are looked for.
  explicit control_group_reader(std::string root = {});

  // For report `number`. Never throws but std::bad_alloc: what can't be read is null, and said
  // under "unavailable".
  [[nodiscard]] control_group_facts read(std::uint64_t number);

 private:
  struct sample {
    clock::time_point when;
    std::uint64_t report = 0;  // 0: none yet
    std::optional<cpu_limit> cpu;
  };

  void compare(control_group_facts& with, key_values& section, const sample& now) const;

  const std::string root_;
  sample last_;
};

}  // namespace gmr::facts
