// Runs one stage of a report so that its failure costs the report that stage only.
#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

#include "gmr/model/report.hpp"

namespace gmr {

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
