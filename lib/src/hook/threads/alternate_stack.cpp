// See alternate_stack.hpp.
#include "hook/threads/alternate_stack.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "os/signals.hpp"

// Present in a program with AddressSanitizer, which gives each thread an alternate stack for good.
extern "C" [[gnu::weak]] void __asan_init();

namespace gmr::trace {
namespace {

// For the handler itself and what it calls; sanitizer builds have big frames.
constexpr std::size_t handler_room = 32 * 1024;

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

alternate_bounds bounds_of(const stack_t& stack, bool stays) noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(stack.ss_sp);
  return {low, low + stack.ss_size, stays};
}

}  // namespace

std::size_t alternate_stack_size() noexcept {
  const std::size_t frame = std::max<std::size_t>(os::least_signal_stack(), 8192);
  const std::size_t page = page_size();
  return (frame + handler_room + page - 1) / page * page;
}

alternate_bounds alternate_stack::provide() noexcept {
  stack_t present{};
  if (sigaltstack(nullptr, &present) != 0) return {};
  if ((present.ss_flags & SS_DISABLE) == 0) return bounds_of(present, __asan_init != nullptr);

  const std::size_t guard = page_size();
  const std::size_t size = guard + alternate_stack_size();
  void* const mapping =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED) return {};
  stack_t wanted{};
  wanted.ss_sp = static_cast<std::byte*>(mapping) + guard;
  wanted.ss_size = size - guard;
  if (mprotect(mapping, guard, PROT_NONE) != 0 || sigaltstack(&wanted, nullptr) != 0) {
    munmap(mapping, size);
    return {};
  }
  mapping_ = mapping;
  size_ = size;
  return bounds_of(wanted, true);
}

void alternate_stack::withdraw() noexcept {
  if (mapping_ == nullptr) return;
  stack_t present{};
  const bool ours = sigaltstack(nullptr, &present) == 0 && present.ss_sp >= mapping_ &&
                    present.ss_sp < static_cast<std::byte*>(mapping_) + size_;
  if (ours) {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    none.ss_size = alternate_stack_size();
    if (sigaltstack(&none, nullptr) != 0) return;  // in use: better leaked than unmapped
  }
  munmap(mapping_, size_);
  mapping_ = nullptr;
}

}  // namespace gmr::trace
