// What a backend of the symbolizer does: places for one program counter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unwind/modules.hpp"

namespace gmr::symbolize {

// Where an instruction is, in the source. Several of them when calls were inlined.
struct place {
  std::string function;  // mangled or plain, as the debug information has it; empty when unknown
  std::string file;
  std::uint32_t line = 0;
  bool inlined = false;
};

// Not synchronised.
class backend {
 public:
  backend() = default;
  virtual ~backend() = default;
  backend(const backend&) = delete;
  backend& operator=(const backend&) = delete;

  // Modules other than these are gone.
  virtual void keep(const std::vector<std::shared_ptr<const unwind::module>>& loaded) = 0;
  // The places of this module's code will be asked for: starts reading what takes long, beside.
  virtual void expect(const unwind::module& in) = 0;
  // Appends the places of the instruction at `address` (in the process), innermost first; none when
  // nothing is known.
  virtual void locate(const unwind::module& in, std::uintptr_t address,
                      std::vector<place>& places) = 0;
  // Gives back memory and closes files that are needed for new addresses only.
  virtual void rest() = 0;
  // What a reader must know about all answers for this module; empty in the ordinary case.
  [[nodiscard]] virtual std::string warning(const unwind::module& in) = 0;

  // The one that was selected at build time.
  [[nodiscard]] static std::unique_ptr<backend> make();
};

}  // namespace gmr::symbolize
