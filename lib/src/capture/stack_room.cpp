#include "capture/stack_room.hpp"

#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>

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

bool stack_is_large(pid_t id) noexcept {
  const std::uintptr_t descriptor = descriptor_of(id);
  if (descriptor == 0) return true;
  constexpr std::size_t used_at_most = std::size_t{32} * 1024;
  const std::size_t size = std::min(signal_frame_room() + used_at_most, page * (most_pages - 1));
  return is_readable(descriptor - size, size);
}

}  // namespace

// The head of the list of robust mutexes is part of the descriptor.
std::uintptr_t descriptor_of(pid_t id) noexcept {
  void* head = nullptr;
  std::size_t size = 0;
  if (syscall(SYS_get_robust_list, id, &head, &size) != 0) return 0;
  return reinterpret_cast<std::uintptr_t>(head);
}

stack_bounds main_stack() {
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[stack]")) continue;
    std::istringstream fields{line};
    stack_bounds mapped;
    char dash = 0;
    fields >> std::hex >> mapped.low >> dash >> mapped.high;
    rlimit limit{};
    constexpr rlim_t unlimited_guess = rlim_t{64} << 20;
    const rlim_t size = getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
                            ? limit.rlim_cur
                            : unlimited_guess;
    return {std::min(mapped.low, mapped.high - size), mapped.high};
  }
  return {};
}

std::size_t signal_frame_room() noexcept {
  static const std::size_t room = [] {
    constexpr unsigned long fallback = 4096;
    return 2 * std::max(getauxval(AT_MINSIGSTKSZ), fallback);
  }();
  return room;
}

bool has_room(pid_t id, const std::optional<blocked_syscall>& blocked,
              const stack_bounds& main) noexcept {
  const std::size_t need = signal_frame_room();
  if (!blocked) return id == getpid() || stack_is_large(id);
  // The main stack grows when it is used, so what is mapped now says nothing.
  if (main.low <= blocked->sp && blocked->sp < main.high) return blocked->sp - main.low >= need;
  return is_readable(blocked->sp - need, need);
}

}  // namespace gmr::capture
