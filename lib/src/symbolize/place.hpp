// Where an instruction is, in the source.
#pragma once

#include <cstdint>
#include <string>

namespace gmr::symbolize {

// Several of them for one instruction when calls were inlined: innermost first.
struct place {
  std::string function;  // readable and complete; empty when unknown
  std::string file;
  std::uint32_t line = 0;
  bool inlined = false;
};

}  // namespace gmr::symbolize
