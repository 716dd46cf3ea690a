// Stacks and waits as JSON: threads and green threads have them alike.
#pragma once

#include <optional>

#include "gmr/model/threads.hpp"
#include "view/json_output.hpp"

namespace gmr::views {

void write_frames(json_output& out, const stack& frames);
void write_queues(json_output& out, const std::optional<socket_queues>& queues);

void write_wait(json_output& out, const std::optional<wait_info>& wait);

}  // namespace gmr::views
