#include "capture/thread_descriptor.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <thread>

#include "capture/send_signal.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

// Three words of glibc's descriptor.
struct stack_words {
  std::uintptr_t block;
  std::uintptr_t size;   // the guard included
  std::uintptr_t guard;  // at the low end of the block
};

// From the address that the kernel knows to the end of the descriptor, and more than to its tid.
constexpr std::uintptr_t descriptor_reach = 2048;

stack_bounds own_stack() noexcept {
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return {};
  void* low = nullptr;
  std::size_t size = 0;
  stack_bounds own;
  if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
    own.low = reinterpret_cast<std::uintptr_t>(low);
    own.high = own.low + size;
  }
  pthread_attr_destroy(&attributes);
  return own;
}

// Where the words are, counted from what descriptor_of says: found by what they must say of the
// calling thread.
std::optional<std::size_t> find_words() noexcept {
  const stack_bounds own = own_stack();
  std::array<std::uintptr_t, 256> words{};
  const std::uintptr_t descriptor = descriptor_of(gettid());
  if (own.low == 0 || descriptor == 0) return std::nullopt;
  const std::size_t count =
      os::read_bytes(descriptor, std::as_writable_bytes(std::span{words})) / sizeof words[0];
  for (std::size_t i = 0; i + 2 < count; ++i)
    if (words[i] + words[i + 1] == own.high && words[i] + words[i + 2] == own.low)
      return i * sizeof words[0];
  return std::nullopt;
}

const std::optional<std::size_t>& place_of_words() {
  static const std::optional<std::size_t> place = [] {
    std::optional<std::size_t> found;
    std::thread{[&] {
      pthread_setname_np(pthread_self(), "gmr-look");
      found = find_words();
    }}.join();
    return found;
  }();
  return place;
}

}  // namespace

std::uintptr_t descriptor_of(pid_t id) noexcept {
  void* head = nullptr;
  std::size_t size = 0;
  if (syscall(SYS_get_robust_list, id, &head, &size) != 0) return 0;
  return reinterpret_cast<std::uintptr_t>(head);
}

bool is_described_at(pid_t id, std::uintptr_t address) noexcept {
  if (id <= 0) return false;
  const std::uintptr_t descriptor = descriptor_of(id);
  return descriptor != 0 && descriptor < address + descriptor_reach &&
         address < descriptor + descriptor_reach && thread_exists(id);
}

// The descriptor begins with the thread's tid, and no version of glibc has to be known to find it:
// whichever word looks like one, the kernel says where the descriptor of that thread is.
std::optional<pid_t> thread_described_at(std::uintptr_t address) noexcept {
  std::array<pid_t, descriptor_reach / sizeof(pid_t)> words{};
  if (address < descriptor_reach || !os::read_object(address - descriptor_reach, words))
    return std::nullopt;
  const auto found = std::find_if(words.rbegin(), words.rend(),
                                  [&](pid_t id) { return is_described_at(id, address); });
  return found == words.rend() ? std::nullopt : std::optional{*found};
}

bool knows_stacks() {
  return place_of_words().has_value();
}

stack_bounds stack_of(pid_t id) noexcept {
  return stack_described_by(descriptor_of(id));
}

stack_bounds stack_described_by(std::uintptr_t descriptor) noexcept {
  stack_words words{};
  if (descriptor == 0 || !knows_stacks() || !os::read_object(descriptor + *place_of_words(), words))
    return {};
  return {words.block + words.guard, words.block + words.size};
}

}  // namespace gmr::capture
