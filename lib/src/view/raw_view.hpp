// Draws the raw report as it is made, piece by piece, without allocating. The others, which are
// made from an outline, are in view/view.hpp.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "analyse/bare_groups.hpp"
#include "capture/bare_capture.hpp"
#include "gmr/model/report.hpp"
#include "os/bare_modules.hpp"
#include "text/byte_writer.hpp"
#include "unwind/bare_walk.hpp"

namespace gmr::views {

struct raw_head {
  std::string_view cause;
  std::chrono::system_clock::time_point time;
  std::string_view host;
  std::uint64_t number = 0;
  std::uint64_t requests = 1;
  std::uint64_t refused = 0;
  std::string_view note;  // why it is a raw one
  const package* software = nullptr;
  pid_t process = 0;
};

struct raw_end {
  bool has_more_threads = false;
  bool has_more_green_threads = false;
  std::string_view why_no_threads;  // /proc/self/task can't be read: the system's word
  double seconds = 0;               // that it took
};

// Called in the order of the members.
class raw_view {
 public:
  virtual void begin(const raw_head& head) noexcept = 0;
  virtual void show_modules(std::span<const os::bare_module> modules) noexcept = 0;
  virtual void begin_threads(std::size_t count) noexcept = 0;
  virtual void show_thread(const capture::bare_thread& thread, const unwind::bare_stack& stack,
                           std::string_view note) noexcept = 0;
  virtual void show_green_threads(const analyse::bare_groups& groups) noexcept = 0;
  virtual void end(const raw_end& end) noexcept = 0;

 protected:
  ~raw_view() = default;
};

// What is to be said of a stack that is not whole; empty otherwise.
[[nodiscard]] std::string_view words_of(unwind::bare_end end) noexcept;

// What it says of a place where a coroutine is suspended, whose library may be gone.
struct raw_location {
  std::array<char, 512> function_bytes;
  std::array<char, 512> file_bytes;
  std::string_view function;
  std::string_view file;
  std::uint32_t line = 0;

  explicit raw_location(const void* location) noexcept;
};

// Both need the modules that were shown.
class raw_text final : public raw_view {
 public:
  raw_text(texts::byte_writer& out, const os::bare_modules& modules) noexcept
      : out_(out), modules_(modules) {}
  void begin(const raw_head& head) noexcept override;
  void show_modules(std::span<const os::bare_module> modules) noexcept override;
  void begin_threads(std::size_t count) noexcept override;
  void show_thread(const capture::bare_thread& thread, const unwind::bare_stack& stack,
                   std::string_view note) noexcept override;
  void show_green_threads(const analyse::bare_groups& groups) noexcept override;
  void end(const raw_end& end) noexcept override;

 private:
  void say(std::initializer_list<std::string_view> parts) noexcept;
  void say_plain(std::string_view foreign) noexcept;
  void banner(std::string_view title) noexcept;
  void show_stack(const unwind::bare_stack& stack) noexcept;
  void show_group(const analyse::bare_group& group) noexcept;

  texts::byte_writer& out_;
  const os::bare_modules& modules_;
};

class raw_json final : public raw_view {
 public:
  raw_json(texts::byte_writer& out, const os::bare_modules& modules) noexcept;
  ~raw_json();
  raw_json(const raw_json&) = delete;
  raw_json& operator=(const raw_json&) = delete;
  void begin(const raw_head& head) noexcept override;
  void show_modules(std::span<const os::bare_module> modules) noexcept override;
  void begin_threads(std::size_t count) noexcept override;
  void show_thread(const capture::bare_thread& thread, const unwind::bare_stack& stack,
                   std::string_view note) noexcept override;
  void show_green_threads(const analyse::bare_groups& groups) noexcept override;
  void end(const raw_end& end) noexcept override;

 private:
  class writer;
  texts::byte_writer& out_;
  alignas(16) std::array<std::byte, 8192> memory_;  // of the writer
  writer* writer_;
  raw_head head_;
};

}  // namespace gmr::views
