// Turns program counters into frames: function, file, line, inlined calls, module.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gmr/model/stack.hpp"
#include "gmr/trace/scheduler.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::symbolize {

// Answers are cached from report to report. Not synchronised: one thread at a time.
class symbolizer {
 public:
  symbolizer();
  ~symbolizer();

  // Call once before the stacks of a report: notices modules loaded and unloaded since.
  void refresh();
  // Call once after the capture: frames in modules that came or went meanwhile have no names.
  void settle();

  // Inlined calls are expanded: one program counter may give several frames.
  [[nodiscard]] stack resolve(const unwind::raw_stack& raw);
  [[nodiscard]] stack resolve(std::span<const logical_frame> frames);

  // Gives back most memory and closes files: nobody has asked for a while. Answers stay cached; new
  // addresses cost opening the files again.
  void rest();

  [[nodiscard]] std::vector<module_info> modules() const;

  // Owner of every frame returned so far; a report keeps it so that its frames stay valid.
  [[nodiscard]] std::shared_ptr<const void> frames() const;

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::symbolize
