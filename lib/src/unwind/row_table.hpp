// Rows by program counter, compiled at first use.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "os/modules.hpp"
#include "unwind/cfi.hpp"
#include "unwind/row.hpp"

namespace gmr::unwind {

// Not synchronised.
class row_table final {
 public:
  explicit row_table(os::shared_modules modules) : modules_(std::move(modules)) {}
  // Drops what is known about modules that are gone.
  void use(os::shared_modules modules);

  // The row that covers the instruction at `address`; kind missing when that is not code of a
  // loaded module. Valid until the next call.
  [[nodiscard]] const row& find(std::uintptr_t address);
  [[nodiscard]] const complex_row& complex(const row& of) const {
    return complex_[of.complex_index];
  }
  [[nodiscard]] const os::module_table& modules() const noexcept { return *modules_; }
  [[nodiscard]] bool is_code(std::uintptr_t address) const noexcept;

 private:
  [[nodiscard]] row compile(std::uintptr_t address);

  os::shared_modules modules_;
  boost::unordered_flat_map<const os::module*, std::unique_ptr<cfi>> tables_;
  boost::unordered_flat_map<std::uintptr_t, row> rows_;
  std::vector<complex_row> complex_;
  row missing_;
};

}  // namespace gmr::unwind
