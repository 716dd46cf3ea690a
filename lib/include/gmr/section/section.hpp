// Sections of reports that the service makes.
#pragma once

#include "gmr/detail/language.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gmr/model/value.hpp"

namespace gmr {

// Makes the content of a section. Runs on a thread of the reporter, one at a time, while the
// service runs: whatever it shares with the service it must synchronise. If it does not return
// within section_seconds the report goes on without it.
using section_generator = std::function<value()>;

// Where a section stands among those of the service. Looked at when a report is made, so the order
// of registration does not matter.
struct section_position {
  std::string before{};  // the title of the section that it precedes; where there is none: last
  bool first = false;    // before all others but earlier ones that are first, too
};

// Keeps a section registered for as long as it lives. Its destruction waits for a generator that is
// running on another thread, however long that takes: afterwards nothing that the generator refers
// to is used any more.
class [[nodiscard]] section_registration {
 public:
  section_registration() = default;
  section_registration(section_registration&&) noexcept = default;
  section_registration& operator=(section_registration&&) noexcept = default;
  ~section_registration() = default;

  // Leaves the section registered: as long as the reporter that it was added to, or as long as the
  // process where it was added by register_section. Safe to call from any thread.
  void release() noexcept;

 private:
  friend class reporter;
  friend section_registration register_section(std::string, section_generator, section_position);
  explicit section_registration(std::shared_ptr<void> guard) noexcept : guard_(std::move(guard)) {}
  std::shared_ptr<void> guard_;
};

// Adds a section to the reports of whichever reporter there is, now or later: for parts of a
// program that are set up before its reporter, and for plug-ins. Safe to call from any thread, also
// before main and in a section's generator.
section_registration register_section(std::string title, section_generator generator,
                                      section_position position = {});

}  // namespace gmr
