// Part of every program with traced coroutines.
#pragma once

namespace gmr::trace {

void register_bare_coroutines() noexcept;

}  // namespace gmr::trace
