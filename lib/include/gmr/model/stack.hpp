// Frames and stacks as a report shows them.
#pragma once

#include "gmr/detail/language.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gmr {

// One resolved entry of a stack. An inlined call is a frame of its own with the same address as the
// function it was inlined into.
struct frame {
  std::string function;       // shortened for people; empty when unknown
  std::string function_full;  // complete demangled name
  std::string file;           // empty when unknown
  std::uint32_t line = 0;     // 0 when unknown
  bool inlined = false;
  bool unloaded = false;  // its code is not loaded any more: what is said was known before
  bool internal = false;  // part of Asio, Boost or the standard library: a text view may fold it
  std::string module;     // path of the executable or shared object; empty when not known
  // Absent for the frame of a suspended coroutine, which has no place in machine code.
  std::optional<std::uint64_t> offset;   // in the module, as addr2line expects it
  std::optional<std::uint64_t> address;  // in the process
};

// Innermost frame first. The frames belong to the report that holds the stack.
struct stack {
  std::vector<const frame*> frames;
  bool truncated = false;  // outer frames are missing
  std::string note;        // why it ends early, is empty or was guessed; empty when exact
};

// A loaded executable or shared object.
struct module_info {
  std::string path;
  std::string build_id;  // lower-case hex, empty when the module has none
  std::uint64_t base = 0;
};

}  // namespace gmr
