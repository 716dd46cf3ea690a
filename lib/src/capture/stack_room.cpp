#include "capture/stack_room.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>

#include "os/file_text.hpp"
#include "os/memory.hpp"
#include "os/signals.hpp"
#include "text/lines.hpp"

namespace gmr::capture {
namespace {

constexpr std::uintptr_t page = 4096;

// Whoever has been there has left something: a return address at least.
bool was_never_used(std::uintptr_t from, std::size_t size) noexcept {
  std::array<std::uint64_t, page / sizeof(std::uint64_t)> words;
  for (std::size_t done = 0; done < size; done += sizeof words) {
    const std::size_t bytes = std::min(sizeof words, size - done);
    const std::span read{words.data(), bytes / sizeof words[0]};
    if (!os::read_memory(from + done, std::as_writable_bytes(read))) return false;
    if (std::ranges::any_of(read, [](std::uint64_t word) { return word != 0; })) return false;
  }
  return true;
}

// What is mapped of the main thread's stack: as much as it has ever used.
stack_bounds used_main_stack() {
  constexpr std::size_t most_bytes = std::size_t{64} << 20;
  const os::file_text maps = os::read_file("/proc/self/maps", most_bytes);
  for (std::string_view rest = maps.content; !rest.empty();) {
    std::string_view line = texts::take_line(rest);
    if (!line.ends_with("[stack]")) continue;
    const auto number = [](std::string_view digits) {
      std::uintptr_t value = 0;
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
      return value;
    };
    const std::uintptr_t low = number(texts::take_until(line, '-'));
    return {low, number(texts::take_until(line, ' '))};
  }
  return {};
}

}  // namespace

stack_bounds main_stack() {
  const stack_bounds mapped = used_main_stack();
  if (mapped.high == 0) return {};
  rlimit limit{};
  constexpr rlim_t unlimited_guess = rlim_t{64} << 20;
  const rlim_t size = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
                          ? limit.rlim_cur
                          : unlimited_guess;
  return {std::min(mapped.low, mapped.high - size), mapped.high};
}

std::size_t signal_frame_room() noexcept {
  static const std::size_t room = [] {
    constexpr std::size_t fallback = 4096;
    return 2 * std::max(os::least_signal_stack(), fallback);
  }();
  return room;
}

bool has_room(pid_t id, const std::optional<blocked_syscall>& blocked, const stack_bounds& main,
              std::uintptr_t main_mapped) {
  const std::size_t need = signal_frame_room();
  // The main stack grows when it is used, so what is mapped now says nothing. After a fork the main
  // thread may be on another one.
  const bool on_main = id == getpid() && (!blocked || main.contains(blocked->sp));
  // Nor does anything tell of the stack of a thread whose descriptor the system keeps secret.
  if (!on_main && (!knows_stacks() || descriptor_of(id) == 0))
    return !blocked || os::is_readable(blocked->sp - need, need);
  if (on_main && !blocked)
    return (main_mapped != 0 ? main_mapped : used_main_stack().low) >= main.low + need;
  // Elsewhere, what lies below sp may be somebody's data: a stack switched by means we do not see.
  return has_room_above(on_main ? main : stack_of(id), blocked);
}

bool has_room_above(const stack_bounds& own, const std::optional<blocked_syscall>& blocked) {
  const std::size_t need = signal_frame_room();
  if (blocked) return own.contains(blocked->sp) && blocked->sp - own.low >= need;
  return own.high - own.low >= need && was_never_used(own.low, need);
}

bool has_room_on(const stack_bounds& alternate, const std::optional<blocked_syscall>& blocked) {
  const std::size_t need = signal_frame_room();
  if (!blocked)
    return alternate.high - alternate.low >= need && was_never_used(alternate.low, need);
  const std::uintptr_t from = alternate.contains(blocked->sp) ? blocked->sp : alternate.high;
  return from - alternate.low >= need;
}

}  // namespace gmr::capture
