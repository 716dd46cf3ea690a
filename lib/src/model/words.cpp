// The words reports use for the enumerations of the model.
#include "model/words.hpp"

#include <array>
#include <cstddef>

#include "gmr/model/counters.hpp"
#include "gmr/model/report.hpp"

namespace gmr {
namespace {

struct wait_word {
  wait_kind kind;
  std::string_view word;
};

constexpr std::array wait_words{
    wait_word{wait_kind::mutex, "mutex"},
    wait_word{wait_kind::timed_mutex, "timed mutex"},
    wait_word{wait_kind::asio_mutex, "asio mutex"},
    wait_word{wait_kind::rwlock, "rwlock"},
    wait_word{wait_kind::condition, "condition"},
    wait_word{wait_kind::semaphore, "semaphore"},
    wait_word{wait_kind::join, "join"},
    wait_word{wait_kind::futex, "futex"},
    wait_word{wait_kind::sleep, "sleep"},
    wait_word{wait_kind::poll, "poll"},
    wait_word{wait_kind::select, "select"},
    wait_word{wait_kind::epoll, "epoll"},
    wait_word{wait_kind::io_uring, "io_uring"},
    wait_word{wait_kind::read, "read"},
    wait_word{wait_kind::write, "write"},
    wait_word{wait_kind::receive, "receive"},
    wait_word{wait_kind::send, "send"},
    wait_word{wait_kind::accept, "accept"},
    wait_word{wait_kind::connect, "connect"},
    wait_word{wait_kind::sync, "sync"},
    wait_word{wait_kind::file_lock, "file lock"},
    wait_word{wait_kind::ioctl, "ioctl"},
    wait_word{wait_kind::child_process, "child process"},
    wait_word{wait_kind::signal, "signal"},
    wait_word{wait_kind::message_queue, "message queue"},
    wait_word{wait_kind::semaphore_set, "semaphore set"},
    wait_word{wait_kind::vfork, "vfork"},
    wait_word{wait_kind::system_call, "system call"},
    wait_word{wait_kind::operation, "operation"},
};

consteval bool each_is_in_its_place() {
  for (std::size_t at = 0; at < wait_words.size(); ++at)
    if (static_cast<std::size_t>(wait_words[at].kind) != at) return false;
  return wait_words.back().kind == wait_kind::operation;
}
static_assert(each_is_in_its_place());

}  // namespace

std::string_view to_string(capture_outcome outcome) noexcept {
  switch (outcome) {
    case capture_outcome::ok:
      return "ok";
    case capture_outcome::truncated:
      return "truncated";
    case capture_outcome::exited:
      return "exited";
    case capture_outcome::signal_blocked:
      return "signal_blocked";
    case capture_outcome::timeout:
      return "timeout";
    case capture_outcome::unreadable:
      return "unreadable";
    case capture_outcome::not_signalled:
      return "not_signalled";
  }
  return "unreadable";
}

std::string_view to_string(wait_kind kind) noexcept {
  const auto at = static_cast<std::size_t>(kind);
  return at < wait_words.size() ? wait_words[at].word : "operation";
}

std::string_view to_string(finding_kind kind) noexcept {
  switch (kind) {
    case finding_kind::fatal_error:
      return "fatal_error";
    case finding_kind::stall:
      return "stall";
    case finding_kind::deadlock:
      return "deadlock";
    case finding_kind::lock_across_suspension:
      return "lock_across_suspension";
    case finding_kind::convoy:
      return "convoy";
    case finding_kind::spinning_thread:
      return "spinning_thread";
    case finding_kind::event_loop_delayed:
      return "event_loop_delayed";
    case finding_kind::long_wait:
      return "long_wait";
    case finding_kind::growing_group:
      return "growing_group";
    case finding_kind::cpu_throttled:
      return "cpu_throttled";
    case finding_kind::memory_near_limit:
      return "memory_near_limit";
    case finding_kind::descriptors_near_limit:
      return "descriptors_near_limit";
    case finding_kind::tracing_inactive:
      return "tracing_inactive";
  }
  return "unknown";
}

std::string_view to_string(report_cause cause) noexcept {
  switch (cause) {
    case report_cause::signal:
      return "signal";
    case report_cause::touched_file:
      return "touched_file";
    case report_cause::request:
      return "request";
    case report_cause::call:
      return "call";
    case report_cause::automatic:
      return "automatic";
    case report_cause::fatal_error:
      return "fatal_error";
    case report_cause::stall:
      return "stall";
    case report_cause::mark:
      return "mark";
    case report_cause::socket:
      return "socket";
  }
  return "request";
}

std::string_view to_string(green_thread_kind kind) noexcept {
  return kind == green_thread_kind::fiber ? "fiber" : "coroutine";
}

std::string_view to_string(green_thread_state state) noexcept {
  switch (state) {
    case green_thread_state::running:
      return "running";
    case green_thread_state::suspended:
      return "suspended";
    case green_thread_state::ready:
      return "ready";
  }
  return "suspended";
}

std::string_view extension_of(report_format format) noexcept {
  switch (format) {
    case report_format::json:
      return "json";
    case report_format::html:
      return "html";
    case report_format::text:
    case report_format::oslo:
      return "txt";
  }
  return "txt";
}

std::string cause_text(cause_kind kind, std::string_view what) {
  std::string text{what};
  switch (kind) {
    case cause_kind::signal:
      return "signal " + text;
    case cause_kind::touched_file:
      return "file " + text + " touched";
    case cause_kind::stall:
      return "stall: " + text;
    case cause_kind::mark:
      return "mark passed: " + text;
    case cause_kind::socket:
      return "socket, " + text;
  }
  return text;
}

}  // namespace gmr
