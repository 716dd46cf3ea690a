// The ELF file behind a loaded module, or what memory still has of it.
#pragma once

#include <libelf.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "unwind/modules.hpp"

namespace gmr::unwind {

// Owns an open ELF object. `from_memory`: the file on disk is not the one that was loaded (or there
// is none), so only what is mapped at run time can be known: CFI and dynamic symbols.
class elf_image final {
 public:
  elf_image() = default;
  ~elf_image();
  elf_image(elf_image&& other) noexcept { swap(other); }
  elf_image& operator=(elf_image&& other) noexcept {
    swap(other);
    return *this;
  }

  [[nodiscard]] Elf* get() const noexcept { return elf_; }
  [[nodiscard]] bool from_memory() const noexcept { return !memory_.empty(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  enum class access { read, map };
  // Null inside when it cannot be opened or is no ELF file.
  [[nodiscard]] static elf_image open(const std::string& path, access how);
  // The module's own file: the executable through /proc/self/exe, others by path, checked against
  // the build id in memory. Falls back to memory.
  [[nodiscard]] static elf_image of(const module& loaded, access how);

 private:
  [[nodiscard]] static elf_image from_memory_of(const module& loaded);
  void swap(elf_image& other) noexcept;

  int fd_ = -1;
  Elf* elf_ = nullptr;
  std::vector<std::byte> memory_;
  std::string path_;
};

// The build id in a file, lower-case hex; empty when it has none.
[[nodiscard]] std::string build_id_of(Elf* elf);

}  // namespace gmr::unwind
