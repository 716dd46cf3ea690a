// What a report says of names that are missing or less than they could be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "os/hidden_process.hpp"
#include "os/memory_room.hpp"
#include "os/modules.hpp"
#include "symbolize/helper_session.hpp"
#include "symbolize/wire.hpp"

namespace gmr::symbolize {

// The memory that the helper may take, and what left it no more; `limit` is empty when it may take
// all that is ever given.
struct helper_memory {
  std::uint64_t bytes = 0;
  std::string limit;
};

[[nodiscard]] std::string note_of_level(const os::module& in, name_level level, bool all,
                                        helper_end why, const helper_memory& given);
[[nodiscard]] std::string note_of_start(os::start_failure why);
[[nodiscard]] std::string note_of_loader();
// `starts`: how often it was started in this report.
[[nodiscard]] std::string note_of_starts(int starts);
// From now on the module is looked up at that level.
[[nodiscard]] std::string note_of_slow(const os::module& in, name_level level);
[[nodiscard]] std::string note_of_room(const os::memory_room& left);
[[nodiscard]] std::string note_of_time(std::size_t frames);
// `problem`: what the helper says of the module.
[[nodiscard]] std::string note_of_problem(const os::module& in, const std::string& problem);
// Empty when the module's own file was found, or nothing is missing without it.
[[nodiscard]] std::string note_of_file(const os::module& in, const opened_answer& opened);

}  // namespace gmr::symbolize
