// Reports of this very process, as a program that reads JSON sees them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../capture/test_threads.hpp"
#include "gmr/reporter.hpp"

namespace gmr::test {

using capture::testing::pipe_ends;
using capture::testing::test_thread;
using capture::testing::wait_until;
using nlohmann::json;

class live_reporter {
 public:
  [[nodiscard]] json make() { return json::parse(to_json(reporter_.make())); }
  void add_section() {
    reporter_.add_section("Any", [] { return value{1}; });
  }

 private:
  reporter reporter_{package{.name = "test", .version = "1"}, settings{}};
};

inline json thread_of(const json& report, pid_t id) {
  for (const json& each : report["threads"])
    if (each["id"] == id) return each;
  return nullptr;
}

inline json wait_of(const json& report, pid_t id) {
  const json found = thread_of(report, id);
  return found.is_null() ? found : found["waits_for"];
}

// Findings, but for those about the machine that the tests run on.
inline std::vector<json> conclusions(const json& report) {
  std::vector<json> found;
  for (const json& each : report["findings"])
    if (each["kind"] != "cpu_throttled" && each["kind"] != "memory_near_limit" &&
        each["kind"] != "descriptors_near_limit")
      found.push_back(each);
  return found;
}

inline std::vector<json> findings(const json& report, const std::string& kind) {
  std::vector<json> found;
  for (const json& each : report["findings"])
    if (each["kind"] == kind) found.push_back(each);
  return found;
}

// Makes reports until the thread waits for something of that kind; returns the last.
inline json report_with_wait(live_reporter& reporter, pid_t id, const std::string& kind) {
  json made;
  wait_until([&] {
    made = reporter.make();
    const json wait = wait_of(made, id);
    return !wait.is_null() && wait["kind"] == kind;
  });
  return made;
}

inline std::string address_of(const void* object) {
  char text[32];
  std::snprintf(text, sizeof text, "%p", object);
  return text;
}

}  // namespace gmr::test
