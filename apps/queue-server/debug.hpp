// Blocking an io thread on purpose, to see what a report shows of it.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace queue_server::debug {

enum class block_kind { mutex, sleep, spin };

inline constexpr std::chrono::seconds longest_block{300};

[[nodiscard]] std::optional<block_kind> block_kind_from(std::string_view name);

// Blocks the calling thread. `mutex`: the first comes to hold a mutex of the whole process for as
// long as asked; all others wait for it and go on as soon as they have had it.
void block(block_kind kind, std::chrono::milliseconds time);

}  // namespace queue_server::debug
