// The executable and the shared objects loaded now, and those unloaded since.
//
// The loader's list is read through r_debug, as a debugger does, with reads that cannot fault.
// dl_iterate_phdr would wait for the loader's lock, which a stuck thread may hold for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gmr::unwind {

struct address_range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  [[nodiscard]] bool contains(std::uintptr_t address) const noexcept {
    return address >= begin && address < end;
  }
  friend bool operator==(const address_range&, const address_range&) = default;
};

// A PT_LOAD program header; `address` as in the file, before relocation.
struct load_segment {
  std::uintptr_t address = 0;
  std::size_t file_offset = 0;
  std::size_t file_size = 0;
  std::size_t memory_size = 0;
  bool executable = false;
  bool writable = false;

  friend bool operator==(const load_segment&, const load_segment&) = default;
};

enum class module_kind { executable, library, vdso };

struct module {
  module_kind kind = module_kind::library;
  std::string path;          // "[vdso]" for the vdso
  std::string build_id;      // of what is in memory, lower-case hex; empty when it has none
  std::uintptr_t base = 0;   // address in the process minus address in the file
  std::uintptr_t start = 0;  // of the ELF header in memory
  std::uintptr_t dynamic = 0;
  address_range extent;
  std::vector<load_segment> segments;

  [[nodiscard]] bool has_code_at(std::uintptr_t address) const noexcept;
  friend bool operator==(const module&, const module&) = default;
};

// Not synchronised: one thread at a time.
class module_table {
 public:
  // Reads the list anew; true when it differs from the last. A module that stays keeps its object.
  bool refresh();
  // The same after stacks were captured: what was not there before and after is not known to have
  // been there meanwhile. Its places are unknown until the next refresh, with nothing loaded and
  // "[being loaded]" as the module that was there last.
  bool settle();

  // By address; the extents never overlap.
  [[nodiscard]] const std::vector<std::shared_ptr<const module>>& loaded() const noexcept {
    return loaded_;
  }
  [[nodiscard]] const module* find(std::uintptr_t address) const noexcept;
  // The module that was here last; null when none is remembered.
  [[nodiscard]] const module* find_unloaded(std::uintptr_t address) const noexcept;

 private:
  void forget_oldest();

  std::vector<std::shared_ptr<const module>> loaded_;
  std::vector<std::shared_ptr<const module>> unloaded_;  // newest last, a bounded number
};

}  // namespace gmr::unwind
