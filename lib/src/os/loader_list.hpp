// Reads the dynamic loader's list of loaded objects.
#pragma once

#include <link.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "os/modules.hpp"

namespace gmr::os {

// The loader's own records as they were read: where its lists begin, and their entries.
struct loader_chain {
  struct head {
    std::uintptr_t address = 0;
    r_debug content{};
  };
  struct entry {
    std::uintptr_t address = 0;
    link_map content{};
  };
  std::vector<head> heads;
  std::vector<entry> entries;
  bool whole = false;  // false: it changed while it was read
};

// Everything loaded now, in the loader's order. Takes no lock. An object that is being loaded or
// unloaded at this moment may be missing. `chain` is what it was read from.
[[nodiscard]] std::vector<module> read_loader_list(loader_chain& chain);

// Whether all records are what they were: one or two system calls.
[[nodiscard]] bool is_unchanged(const loader_chain& chain);

// The build id within the notes of an image; empty when it has none.
[[nodiscard]] std::string build_id_in_notes(const std::byte* notes, std::size_t size);

}  // namespace gmr::os
