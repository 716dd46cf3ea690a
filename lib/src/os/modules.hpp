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

namespace gmr::os {

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

// What was loaded when the list was read, and what is known to have been loaded before. Immutable:
// one table is made for a report and handed to all that ask for modules.
class module_table final {
 public:
  using list = std::vector<std::shared_ptr<const module>>;

  module_table() = default;
  // `unloaded`: the newest last; of a module that has been unloaded several times, the last counts.
  module_table(list loaded, list unloaded);

  // By address; the extents never overlap.
  [[nodiscard]] const list& loaded() const noexcept { return loaded_; }
  [[nodiscard]] const list& unloaded() const noexcept { return unloaded_; }

  [[nodiscard]] const module* find(std::uintptr_t address) const noexcept;
  // The module that was here last; null when none is remembered.
  [[nodiscard]] const module* find_unloaded(std::uintptr_t address) const noexcept;

 private:
  list loaded_;
  list unloaded_;
};

using shared_modules = std::shared_ptr<const module_table>;

struct loader_chain;

// Reads the loader's list for one report after the other. Takes no lock. Not synchronised: one
// thread at a time.
class module_reader final {
 public:
  module_reader();
  ~module_reader();

  // What is loaded now. A module that stays keeps its object; when nothing has changed, the table
  // is the one of the last time.
  [[nodiscard]] shared_modules read();

  // After stacks were captured, in the same report. Where the loader's list is as `read` found it,
  // that is all; only where it is not, it is read again: what was not there before and after is not
  // known to have been there meanwhile. Its places are unknown in the table that is returned, with
  // nothing loaded and "[being loaded]" as the module that was there last.
  [[nodiscard]] shared_modules confirm();

 private:
  shared_modules last_ = std::make_shared<const module_table>();
  std::unique_ptr<loader_chain> seen_;
};

// What is loaded now, for whoever asks but once.
[[nodiscard]] shared_modules read_modules();

}  // namespace gmr::os
