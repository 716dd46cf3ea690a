// The sections that queue-server adds to a report. Both run while the server is stuck: they wait
// neither for an io thread nor for a lock that one holds while it works.
#pragma once

#include <functional>
#include <gmr/model/value.hpp>
#include <string>

#include "connections.hpp"

namespace queue_server {

// Reads with a connection of its own, opened at the first report and bounded in time.
[[nodiscard]] std::function<gmr::value()> queues_section(std::string storage_path);

// `clients` must outlive the reporter.
[[nodiscard]] std::function<gmr::value()> connections_section(const connections& clients);

}  // namespace queue_server
