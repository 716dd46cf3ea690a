// How one frame finds its caller, compiled from CFI.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "capture/registers.hpp"
#include "os/arch/machine.hpp"

namespace gmr::unwind {

using os::arch::preserved_registers;

enum class row_kind : std::uint8_t {
  missing,      // no CFI covers this address
  simple,       // everything lies at fixed distances from the CFA
  complex,      // see complex_row
  outermost,    // CFI says that there is no caller
  unsupported,  // CFI asks for more than can be evaluated
};

// The ordinary case, small enough for one cache line with its key.
struct row {
  static constexpr std::int32_t same_value = INT32_MIN;
  static constexpr std::int32_t undefined = INT32_MIN + 1;

  row_kind kind = row_kind::missing;
  std::uint8_t cfa_register = 0;
  bool signal = false;       // the caller was interrupted here, it did not call
  bool starts_here = false;  // the address is the first that the row covers
  bool after_call = true;    // the next instruction is one that a call returns to
  std::int32_t cfa_offset = 0;
  std::int32_t return_offset = 0;                                // from the CFA
  std::uint32_t complex_index = 0;                               // kind complex
  std::array<std::int32_t, preserved_registers.size()> saved{};  // from the CFA
};

// One DWARF operation.
struct operation {
  std::uint8_t code = 0;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::uint64_t position = 0;  // in the encoded expression
};
using expression = std::vector<operation>;

struct register_rule {
  enum class kind : std::uint8_t { undefined, same_value, in_register, at, is };
  kind how = kind::undefined;
  unsigned source = 0;  // in_register
  expression code;      // at: computes its address; is: computes its value
};

// PLT stubs, signal trampolines, hand-written code.
struct complex_row {
  expression cfa;
  unsigned return_register = capture::pc_register;
  std::array<register_rule, capture::register_count> rules;
};

}  // namespace gmr::unwind
