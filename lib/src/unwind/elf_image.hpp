// The ELF file behind a loaded module, or what memory still has of it.
#pragma once

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "os/files.hpp"
#include "os/modules.hpp"

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

  // Whether its file was written to since it was opened: what was read since may be of neither
  // state. False for what is in memory.
  [[nodiscard]] bool has_changed() const noexcept;

  // Closes the file of an image whose parts have been read that will be asked for. The program
  // might close the number, too, and have it for a file in which libelf would then go on reading.
  void close_file() noexcept;

  enum class access { read, map };
  // Null inside when it cannot be opened or is no ELF file.
  [[nodiscard]] static elf_image open(const std::string& path, access how);
  // Null inside when that is no ELF file.
  [[nodiscard]] static elf_image of_bytes(std::vector<std::byte> bytes, const std::string& path);
  // The module's own file: the executable through /proc/self/exe, others by path, checked against
  // the build id in memory. Falls back to memory.
  [[nodiscard]] static elf_image of(const os::module& loaded, access how);

 private:
  [[nodiscard]] static elf_image from_memory_of(const os::module& loaded);
  void swap(elf_image& other) noexcept;

  struct file_state {
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;  // of the last change
    bool operator==(const file_state&) const = default;
  };
  [[nodiscard]] file_state state_of_file() const noexcept;

  os::descriptor file_;
  file_state opened_;
  Elf* elf_ = nullptr;
  std::vector<std::byte> memory_;
  std::string path_;
};

// Whether the file is the one that was loaded: by its build id, and by its layout, which must do
// where there is no build id.
[[nodiscard]] bool is_file_of(Elf* elf, const os::module& loaded);

// The name below /proc/PID of the mapped file itself, whatever its path leads to now; needs
// privileges. Empty when the module has no segments.
[[nodiscard]] std::string map_file_of(const os::module& loaded);

// The build id in a file, lower-case hex; empty when it has none.
[[nodiscard]] std::string build_id_of(Elf* elf);

}  // namespace gmr::unwind
