// See fiber_known_code.hpp. The code is told by its length and hash.
#include "trace/fiber/fiber_known_code.hpp"

#include <link.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace gmr::trace {
namespace {

struct known_code {
  std::size_t bytes;
  std::uint64_t hash;
};

#if defined(__x86_64__)
// Boost 1.81 as Debian 12 has it: System V ELF, no shadow stack, no stack protector of its own.
constexpr known_code known_jump{106, 0xc9d8'71e0'2d28'a05b};
constexpr known_code known_ontop{104, 0xed69'b028'ad6f'041c};
#endif

// FNV-1a.
std::uint64_t hash_of(std::span<const unsigned char> code) noexcept {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const unsigned char byte : code)
    hash = (hash ^ byte) * 0x100'0000'01b3;
  return hash;
}

// What is looked for: how much of its segment can be read from there on.
struct place {
  std::uintptr_t address;
  std::size_t readable = 0;
};

int look_in_module(dl_phdr_info* module, std::size_t, void* argument) noexcept {
  auto& wanted = *static_cast<place*>(argument);
  for (const ElfW(Phdr) & segment : std::span{module->dlpi_phdr, module->dlpi_phnum}) {
    const std::size_t offset = wanted.address - module->dlpi_addr - segment.p_vaddr;
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_R) == 0 || offset >= segment.p_filesz)
      continue;
    wanted.readable = segment.p_filesz - offset;
    return 1;
  }
  return 0;
}

// What is there may be shorter and the last of its segment. The kernel is not asked: a program that
// has shut itself off from it may die of a system call that it does not make otherwise.
template <class Function>
bool is(known_code known, Function* function) noexcept {
  const auto* const code = reinterpret_cast<const unsigned char*>(function);
  place where{reinterpret_cast<std::uintptr_t>(code)};
  dl_iterate_phdr(look_in_module, &where);
  return where.readable >= known.bytes && hash_of({code, known.bytes}) == known.hash;
}

}  // namespace

bool knows_switches([[maybe_unused]] jump_function jump,
                    [[maybe_unused]] ontop_function ontop) noexcept {
#if defined(__x86_64__)
  return is(known_jump, jump) && is(known_ontop, ontop);
#else
  return false;  // the assembly hook for this machine always calls them
#endif
}

}  // namespace gmr::trace
