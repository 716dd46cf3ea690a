// Runs one stage of a report so that its failure costs the report that stage only.
#pragma once

#include <chrono>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmr/model/report.hpp"
#include "os/memory.hpp"

namespace gmr {

template <class Element>
void append(std::vector<Element>& to, std::vector<Element> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Puts them before those that are there.
inline void begin_with(report& into, std::vector<finding> found) {
  append(found, std::exchange(into.findings, {}));
  into.findings = std::move(found);
}

// What is lost with that is said once, not of each thread.
inline void note_lost_memory(report& out) {
  const std::string why = os::why_memory_is_unreadable();
  if (why.empty()) return;
  out.notes.push_back(
      "stacks, locks and the modules of the program are unknown: memory can't be read (" + why +
      ")");
}

// Adds the time to `seconds`; what is thrown becomes a note in the report.
template <class Work>
void run_stage(report& into, std::string_view name, double& seconds, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  const auto failed = [&](std::string_view why) {
    into.notes.push_back(std::string{name} + " failed: " + std::string{why});
  };
  try {
    work();
  } catch (const std::exception& error) {
    failed(error.what());
  } catch (...) {
    failed("an exception that is not a std::exception");
  }
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace gmr
