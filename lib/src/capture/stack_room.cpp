#include "capture/stack_room.hpp"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <sstream>
#include <string>

#include "capture/spare_descriptors.hpp"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

namespace gmr::capture {
namespace {

constexpr std::uintptr_t page = 4096;
constexpr std::size_t most_pages = 32;

// Whether all pages that hold [from, from + size) can be read.
bool is_readable(std::uintptr_t from, std::size_t size) noexcept {
  std::array<iovec, most_pages> remote;
  std::array<char, most_pages> bytes;
  std::size_t count = 0;
  for (std::uintptr_t at = from & ~(page - 1); at < from + size && count < most_pages; at += page)
    remote[count++] = {reinterpret_cast<void*>(at), 1};
  const iovec local{bytes.data(), count};
  return process_vm_readv(getpid(), &local, 1, remote.data(), count, 0) ==
         static_cast<ssize_t>(count);
}

// Whoever has been there has left something: a return address at least.
bool was_never_used(std::uintptr_t from, std::size_t size) noexcept {
  std::array<std::uint64_t, page / sizeof(std::uint64_t)> words;
  for (std::size_t done = 0; done < size; done += sizeof words) {
    const std::size_t bytes = std::min(sizeof words, size - done);
    const iovec local{words.data(), bytes};
    const iovec remote{reinterpret_cast<void*>(from + done), bytes};
    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != static_cast<ssize_t>(bytes))
      return false;
    const std::span read{words.data(), bytes / sizeof words[0]};
    if (std::ranges::any_of(read, [](std::uint64_t word) { return word != 0; })) return false;
  }
  return true;
}

std::string read_maps() {
  std::string text;
  const int file = open_file(AT_FDCWD, "/proc/self/maps", O_RDONLY);
  if (file < 0) return text;
  std::array<char, page> part;
  for (ssize_t got = 0; (got = ::read(file, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  close_file(file);
  return text;
}

// What is mapped of the main thread's stack: as much as it has ever used.
stack_bounds used_main_stack() {
  std::istringstream maps{read_maps()};
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[stack]")) continue;
    std::istringstream fields{line};
    stack_bounds mapped;
    char dash = 0;
    fields >> std::hex >> mapped.low >> dash >> mapped.high;
    return mapped;
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
    constexpr unsigned long fallback = 4096;
    return 2 * std::max(getauxval(AT_MINSIGSTKSZ), fallback);
  }();
  return room;
}

bool has_room(pid_t id, const std::optional<blocked_syscall>& blocked, const stack_bounds& main) {
  const std::size_t need = signal_frame_room();
  // The main stack grows when it is used, so what is mapped now says nothing. After a fork the main
  // thread may be on another one.
  const bool on_main = id == getpid() && (!blocked || main.contains(blocked->sp));
  if (!on_main && !knows_stacks()) return !blocked || is_readable(blocked->sp - need, need);
  if (on_main && !blocked) return used_main_stack().low >= main.low + need;
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
