// Turns a copied stack into program counters.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "capture/snapshot.hpp"
#include "os/modules.hpp"

namespace gmr::unwind {

// Program counters, innermost first. All but the first and those after a signal frame are return
// addresses: `is_return` says which, so that the symbolizer looks one byte earlier.
struct raw_frame {
  std::uintptr_t pc = 0;
  bool is_return = true;

  friend bool operator==(const raw_frame&, const raw_frame&) = default;
};

struct raw_stack {
  std::vector<raw_frame> frames;
  bool truncated = false;  // stopped before the outermost frame
  bool exact = true;       // false: some frames were guessed (frame pointers, no CFI)
  // Index of the first frame beyond a part of the stack that was not copied; 0: no such part.
  std::size_t resumed_at = 0;
  std::string note;  // why it stopped early, or what is missing
};

// Reads only the copy and the unwind tables of loaded modules. Bounded; a damaged stack ends the
// walk, said in the note. Caches rows by program counter. Not synchronised: one thread at a time.
class unwinder {
 public:
  // Stacks are unwound by the tables of these modules until others are given.
  explicit unwinder(os::shared_modules modules);
  ~unwinder();

  // Call before the stacks of a report: drops what is known of modules that are gone.
  void use(os::shared_modules modules);
  // Reuses the memory of `out`.
  void unwind(const capture::stack_snapshot& snapshot, raw_stack& out);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::unwind
