// The sections that queue-server adds to a report. Both run while the server is stuck: they wait
// neither for an io thread nor for a lock that one holds while it works.
#pragma once

#include <functional>
#include <gmr/model/value.hpp>
#include <memory>

#include "connections.hpp"
#include "notifications/notifier.hpp"
#include "storage/engine/engine.hpp"
#include "storage/health.hpp"
#include "workers/supervisor.hpp"

namespace queue_server {

// Reads with an engine of its own, opened for each report and bounded in time: one that stayed open
// would be the last to leave the database at a stop, and leave its log behind.
[[nodiscard]] std::function<gmr::value()> queues_section(
    std::function<std::unique_ptr<engine>()> open);

// Whether the storage works and how busy it is. Null while the server is not running.
[[nodiscard]] std::function<gmr::value()> storage_section(
    std::function<const storage_health*()> found);

// Webhooks. Null while the server is not running.
[[nodiscard]] std::function<gmr::value()> notifications_section(
    std::function<const notifier*()> found);

// The workers and what became of those before them. `parent` must outlive the reporter.
[[nodiscard]] std::function<gmr::value()> workers_section(const supervisor& parent);

// `clients` must outlive the reporter.
[[nodiscard]] std::function<gmr::value()> connections_section(const connections& clients);

}  // namespace queue_server
