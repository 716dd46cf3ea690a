// The sections that queue-server adds to a report. They run while the server is stuck: they show
// what is kept in memory, and wait neither for an io thread, nor for the database, nor for a lock
// that somebody holds while he works.
#pragma once

#include <functional>
#include <gmr/model/value.hpp>

#include "connections.hpp"
#include "notifications/notifier.hpp"
#include "storage/storage.hpp"
#include "workers/supervisor.hpp"

namespace queue_server {

// Null while the server is not running.
using storage_finder = std::function<const storage*()>;

// Whether the storage works, which stands first, and how busy it is.
[[nodiscard]] std::function<gmr::value()> storage_section(storage_finder found);

// The longest queues. Has them counted, and shows what was counted before, and how old that is,
// where the storage does not answer at once.
[[nodiscard]] std::function<gmr::value()> queues_section(std::function<storage*()> found);

// The claims that live, by queue. As the latest count had them; so are subscriptions.
[[nodiscard]] std::function<gmr::value()> claims_section(storage_finder found);

// Subscriptions, and what became of the webhooks.
[[nodiscard]] std::function<gmr::value()> subscriptions_section(
    storage_finder found, std::function<const notifier*()> told);

// The workers and what became of those before them. `parent` must outlive the reporter.
[[nodiscard]] std::function<gmr::value()> workers_section(const supervisor& parent);

// `clients` must outlive the reporter.
[[nodiscard]] std::function<gmr::value()> connections_section(const connections& clients);

}  // namespace queue_server
