// Reads the dynamic loader's list of loaded objects.
#pragma once

#include <vector>

#include "unwind/modules.hpp"

namespace gmr::unwind {

// Everything loaded now, in the loader's order. Takes no lock. An object that is being loaded or
// unloaded at this moment may be missing.
[[nodiscard]] std::vector<module> read_loader_list();

// The build id within the notes of an image; empty when it has none.
[[nodiscard]] std::string build_id_in_notes(const std::byte* notes, std::size_t size);

}  // namespace gmr::unwind
