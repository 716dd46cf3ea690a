// What a backend of the symbolizer does: places for program counters.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "os/modules.hpp"
#include "symbolize/place.hpp"

namespace gmr::symbolize {

// How long an answer is the best there is.
enum class answer_life {
  lasting,
  while_memory_is_short,
  this_report,  // there was no time for it
};

struct located {
  std::vector<place> places;  // innermost first; none when nothing is known
  answer_life life = answer_life::lasting;
};

// Not synchronised.
class backend {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  backend() = default;
  virtual ~backend() = default;
  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;

  // Before the questions of a report: until when they can be answered. Modules other than these are
  // gone. Returns whether there is more memory now than where it was short.
  virtual bool begin(const os::module_table::list& loaded, time_point deadline) = 0;
  // The places of this module's code will be asked for: starts reading what takes long, beside.
  virtual void expect(const os::module& in) = 0;
  // The places of the instructions at these addresses (in the process), one answer for each.
  [[nodiscard]] virtual std::vector<located> locate(const os::module& in,
                                                    std::span<const std::uintptr_t> addresses) = 0;
  // Readable names for mangled ones, one for each: as they are where there is none, empty where
  // there was no time.
  [[nodiscard]] virtual std::vector<std::string> demangle(std::span<const std::string> symbols) = 0;
  // After the questions of a report: gives back what only they needed. What readers must know about
  // the answers, each sentence once.
  [[nodiscard]] virtual std::vector<std::string> end() = 0;
  // Gives that back without a word.
  virtual void rest() noexcept = 0;
  // What a reader must know about all answers for this module; empty in the ordinary case.
  [[nodiscard]] virtual std::string warning(const os::module& in) = 0;

  // The one that was selected at build time. `debug_dirs`: where separate debug files are, ':'
  // between them.
  [[nodiscard]] static std::unique_ptr<backend> make(const std::string& debug_dirs);
};

}  // namespace gmr::symbolize
