// Where Boost.Context's own functions are, seen from a library that comes before all others.
#pragma once

namespace gmr::preload {

// Whether the program itself has Boost.Context, so that its libraries' calls go there.
[[nodiscard]] bool program_comes_first() noexcept;

// Whether trace::find_originals has found them, at some time. Takes no lock.
[[nodiscard]] bool knows_originals() noexcept;

}  // namespace gmr::preload
