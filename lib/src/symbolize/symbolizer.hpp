// Turns program counters into frames: function, file, line, inlined calls, module.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gmr/model/stack.hpp"
#include "gmr/trace/scheduler.hpp"
#include "os/modules.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::symbolize {

inline constexpr const char* usual_debug_dirs = "/usr/lib/debug";

// Answers are cached from report to report. Not synchronised: one thread at a time.
//
// Debug information is read by a program that is started when something is not known yet, and ended
// with end(): see docs/architecture.md.
class symbolizer {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Frames are named by these modules until others are given. `debug_dirs`: where separate debug
  // files are, ':' between them.
  explicit symbolizer(os::shared_modules modules, const std::string& debug_dirs = usual_debug_dirs);
  ~symbolizer();

  // Call before the stacks of a report: drops what is known of modules that are gone, and starts
  // reading what nearly all stacks need. What is not known by the deadline is left without a name.
  void use(os::shared_modules modules, time_point deadline = time_point::max());

  // Will be resolved. What of it is not known yet is looked up together, which takes less time and
  // memory than stack after stack.
  void expect(const unwind::raw_stack& raw);
  void expect(std::span<const logical_frame> frames);

  // Inlined calls are expanded: one program counter may give several frames.
  [[nodiscard]] stack resolve(const unwind::raw_stack& raw);
  [[nodiscard]] stack resolve(std::span<const logical_frame> frames);

  // Call after the stacks of a report: gives back what only new addresses need. What readers must
  // know about names that are missing.
  [[nodiscard]] std::vector<std::string> end();
  // The same, where a report came to no end.
  void rest() noexcept;

  [[nodiscard]] std::vector<module_info> modules() const;

  // Owner of every frame returned so far; a report keeps it so that its frames stay valid.
  [[nodiscard]] std::shared_ptr<const void> frames() const;

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::symbolize
