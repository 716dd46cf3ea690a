// Reads memory of this process that may not be there.
#pragma once

#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <type_traits>

namespace gmr::analyse {

// Nothing when not all of it can be read. Never faults. What other threads write meanwhile may be
// torn.
template <class Value>
[[nodiscard]] std::optional<Value> read_memory(std::uint64_t address) noexcept {
  static_assert(std::is_trivially_copyable_v<Value>);
  Value value{};
  const iovec local{&value, sizeof value};
  const iovec remote{reinterpret_cast<void*>(address), sizeof value};
  if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != static_cast<ssize_t>(sizeof value))
    return std::nullopt;
  return value;
}

}  // namespace gmr::analyse
