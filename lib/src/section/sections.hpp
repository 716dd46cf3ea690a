// The service's own sections.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"
#include "gmr/section/section.hpp"

namespace gmr::sections {

// Whether the calling thread runs a generator.
[[nodiscard]] bool in_generator() noexcept;

// The sections of one reporter, and those that belong to none: see gmr::register_section. Safe to
// use from any thread.
class section_registry {
 public:
  section_registry();
  ~section_registry();  // waits no longer than a moment for a generator that hangs: it is left
                        // behind

  // The section stays for as long as the returned guard; its destruction waits for the generator
  // when it is running on another thread, however long that takes: afterwards nothing the generator
  // refers to is used any more. Inside the generator itself it does not wait.
  [[nodiscard]] std::shared_ptr<void> add(std::string title, section_generator generator,
                                          section_position position = {});

  // The section stays as long as the registry, whose destruction does not wait for it.
  void keep(std::string title, section_generator generator, section_position position = {});

  // Starts the thread of the generators when there are any, so that a report that is begun now
  // lists it among the threads; of the signals that others send it gets this one alone (-1: none).
  // `generate` does so too.
  void prepare(int capture_signal);

  // Runs the generators in the order of the sections on a thread of its own ("gmr-sections"), each
  // for at most `each`, all until `deadline`. One that throws, or is too slow, or still runs since
  // an earlier report, has its error in its place.
  [[nodiscard]] std::vector<custom_section> generate(
      std::chrono::milliseconds each, std::chrono::steady_clock::time_point deadline);

 private:
  class implementation;
  std::shared_ptr<implementation> implementation_;
};

}  // namespace gmr::sections
