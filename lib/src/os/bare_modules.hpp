// What is loaded, read without allocating: for the raw report, which is written when the allocator
// itself may be what the program is stuck in. os/modules.hpp is for all other reports.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "os/reserved_memory.hpp"

namespace gmr::os {

struct bare_module {
  static constexpr std::size_t most_code_ranges = 4;
  static constexpr std::size_t longest_build_id = 40;  // of digits

  struct range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
  };

  std::uintptr_t base = 0;  // address in the process minus address in the file
  range extent;
  std::array<range, most_code_ranges> code;
  std::uintptr_t frame_table = 0;  // of .eh_frame_hdr, which leads to the rules for unwinding; or 0
  std::array<char, longest_build_id> build_id;
  std::size_t build_id_size = 0;
  std::array<char, 256> path;
  std::size_t path_size = 0;

  [[nodiscard]] std::string_view path_text() const noexcept { return {path.data(), path_size}; }
  [[nodiscard]] std::string_view build_id_text() const noexcept {
    return {build_id.data(), build_id_size};
  }
  [[nodiscard]] bool has_code_at(std::uintptr_t address) const noexcept;
};

// Not synchronised. After the constructor nothing is allocated, and no lock taken.
class bare_modules final {
 public:
  bare_modules();  // reserves the memory; where there is none, no module is ever found

  // Reads the loader's list, of one namespace, as it is now.
  void read() noexcept;

  [[nodiscard]] std::span<const bare_module> all() const noexcept {
    return {modules_.get(), count_};
  }
  [[nodiscard]] const bare_module* find(std::uintptr_t address) const noexcept;
  [[nodiscard]] bool is_code(std::uintptr_t address) const noexcept;

 private:
  void read_executable() noexcept;
  void read_kernels() noexcept;
  void read_libraries(std::uintptr_t dynamic) noexcept;
  [[nodiscard]] bare_module* next() noexcept;

  reserved_memory<bare_module> modules_;
  std::size_t count_ = 0;
};

}  // namespace gmr::os
