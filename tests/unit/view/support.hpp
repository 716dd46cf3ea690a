// Reports to show: one with a bit of everything, in memory that lives as long as the fixture.
#pragma once

#include <chrono>
#include <deque>
#include <limits>
#include <string>
#include <utility>

#include "gmr/model/report.hpp"

namespace gmr::views::test {

class report_builder {
 public:
  report_builder() {
    made.cause = "signal SIGUSR2";
    made.time = std::chrono::system_clock::time_point{std::chrono::milliseconds{1'700'000'000'125}};
    made.host = "web-3";
    made.number = 7;
    made.package.name = "orders";
    made.package.version = "1.4.2";
    made.package_details = key_values{}.add("name", "orders").add("version", "1.4.2");
    made.process = key_values{}.add("pid", 811).add("rss_bytes", 12'898'304U);
    made.modules.push_back({"/srv/orders", "0123abcd", 0x555500000000});
  }

  const frame* add_frame(std::string function, std::string file, std::uint32_t line,
                         bool internal = false) {
    frame& added = frames_.emplace_back();
    added.function = std::move(function);
    added.function_full = added.function;
    added.file = std::move(file);
    added.line = line;
    added.internal = internal;
    added.module = "/srv/orders";
    added.offset = 0x1000 + frames_.size();
    added.address = 0x555500001000 + frames_.size();
    return &added;
  }

  // A frame of a suspended coroutine: no machine code.
  const frame* add_logical(std::string function, std::string file, std::uint32_t line) {
    frame& added = frames_.emplace_back();
    added.function = std::move(function);
    added.file = std::move(file);
    added.line = line;
    return &added;
  }

  thread_info& add_thread(pid_t id, std::string name, std::vector<const frame*> stack) {
    thread_info& added = made.threads.emplace_back();
    added.id = id;
    added.name = std::move(name);
    added.state = 'S';
    added.capture = capture_outcome::ok;
    added.cpu = cpu_times{1.25, 0.5, 0, 0};
    added.stack.frames = std::move(stack);
    return added;
  }

  green_thread_group& add_group(std::uint64_t count, std::vector<const frame*> frames) {
    green_thread_group& added = made.green_threads.groups.emplace_back();
    added.count = count;
    added.kind = green_thread_kind::coroutine;
    added.stack = static_cast<std::uint32_t>(made.green_threads.stacks.size());
    made.green_threads.stacks.emplace_back().frames = std::move(frames);
    for (std::uint64_t id = 1; id <= count; ++id)
      added.ids.push_back(id);
    made.green_threads.count += count;
    return added;
  }

  report made;

 private:
  std::deque<frame> frames_;
};

// Text that breaks terminals, tables and JSON.
inline const std::string hostile =
    "a\"b\\c\x1b[31m\n\r\t\x01\x7f\xff\xc3\x28\xed\xa0\x80\xc2\x9b"
    "31m\xe2\x80\xae"
    "end";

// Every kind of value there is, nested.
inline value all_kinds() {
  table rows{{"name", "depth", "ratio"}, {}};
  rows.rows.push_back({"orders", 12, 0.5});
  rows.rows.push_back({hostile, -7});
  rows.rows.push_back({list{{1, 2}}, key_values{}.add("a", nullptr), true, "too many"});
  return key_values{}
      .add("null", nullptr)
      .add("bool", true)
      .add("negative", -5)
      .add("large", 18'446'744'073'709'551'615U)
      .add("double", 0.1)
      .add("infinite", std::numeric_limits<double>::infinity())
      .add("string", hostile)
      .add("text", text{"line 1\nline 2\n"})
      .add("list", list{{1, "two", list{{3}}}})
      .add("empty", list{})
      .add("pairs", key_values{}.add("uptime_seconds", 3'725).add("memory_bytes", 4096))
      .add("table", rows)
      .add(hostile, hostile);
}

}  // namespace gmr::views::test
