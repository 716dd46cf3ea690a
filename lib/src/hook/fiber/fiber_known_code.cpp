// See fiber_known_code.hpp. The code is told by its length and hash.
#include "hook/fiber/fiber_known_code.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>

#include "os/loader.hpp"

namespace gmr::trace {

#if defined(__x86_64__)
namespace {

struct known_code {
  std::size_t bytes;
  std::uint64_t hash;
};

// Boost 1.81 to 1.92 as Debian has them: System V ELF, no shadow stack, no stack protector of its
// own.
constexpr known_code known_jump{106, 0xc9d8'71e0'2d28'a05b};
constexpr known_code known_ontop{104, 0xed69'b028'ad6f'041c};

// Stands at the beginning of what may be called through a pointer, and does nothing else.
constexpr unsigned char landing_pad[] = {0xf3, 0x0f, 0x1e, 0xfa};  // endbr64
constexpr unsigned char jump_opcode = 0xe9;                        // and how far, in four bytes

// FNV-1a.
std::uint64_t hash_of(std::span<const unsigned char> code) noexcept {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const unsigned char byte : code)
    hash = (hash ^ byte) * 0x100'0000'01b3;
  return hash;
}

// How much of the code can be read from there on.
std::span<const unsigned char> code_at(std::uintptr_t address) noexcept {
  const auto* const code = reinterpret_cast<const unsigned char*>(address);
  return {code, os::loaded_bytes_from(code)};
}

std::span<const unsigned char> without_landing_pad(std::span<const unsigned char> code) noexcept {
  const bool has_one = code.size() > std::size(landing_pad) &&
                       std::equal(std::begin(landing_pad), std::end(landing_pad), code.begin());
  return has_one ? code.subspan(std::size(landing_pad)) : code;
}

// Where the code goes on after its first instruction, if that is a jump; otherwise itself.
// From 1.87 on the functions that a library exports do nothing but jump to the switches.
std::span<const unsigned char> behind_jump(std::span<const unsigned char> code) noexcept {
  std::int32_t distance = 0;
  constexpr std::size_t instruction = 1 + sizeof distance;
  if (code.size() < instruction || code.front() != jump_opcode) return code;
  std::memcpy(&distance, &code[1], sizeof distance);
  return code_at(reinterpret_cast<std::uintptr_t>(code.data()) + instruction +
                 static_cast<std::uintptr_t>(std::intptr_t{distance}));
}

template <class Function>
bool is(known_code known, Function* function) noexcept {
  const auto stub = without_landing_pad(code_at(reinterpret_cast<std::uintptr_t>(function)));
  const auto code = without_landing_pad(behind_jump(stub));
  return code.size() >= known.bytes && hash_of(code.first(known.bytes)) == known.hash;
}

}  // namespace

bool knows_switches(jump_function jump, ontop_function ontop) noexcept {
  return is(known_jump, jump) && is(known_ontop, ontop);
}

#else

// The assembly hook for this machine always calls them.
bool knows_switches(jump_function, ontop_function) noexcept {
  return false;
}

#endif

}  // namespace gmr::trace
