#include "sections.hpp"

#include <memory>

#include "storage/store.hpp"

namespace queue_server {

namespace {

constexpr std::int64_t most_queues = 100;
constexpr std::size_t most_connections = 1000;
// Within section_seconds, with room for what else a report does.
constexpr std::chrono::milliseconds query_limit{1500};
constexpr std::chrono::milliseconds registry_patience{500};

gmr::value seconds_of(const std::optional<std::int64_t>& age) {
  return age ? gmr::value(*age) : gmr::value();
}

gmr::table queues_table(store& data) {
  gmr::table shown{{"queue", "messages", "claimed", "oldest seconds"}, {}};
  data.connection().limit_time(query_limit);
  for (const queue_summary& each : data.summary(most_queues)) {
    shown.rows.push_back({each.queue.project + "/" + each.queue.name, each.messages, each.claimed,
                          seconds_of(each.oldest_age)});
  }
  return shown;
}

gmr::table connections_table(const connections::listing& found) {
  gmr::table shown{{"peer", "protocol", "age s", "in", "out", "doing", "request"}, {}};
  for (const auto& each : found.shown) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(each->age()).count();
    shown.rows.push_back({each->peer(), each->protocol(), age, each->bytes_in(), each->bytes_out(),
                          each->doing(), each->request()});
  }
  return shown;
}

}  // namespace

std::function<gmr::value()> queues_section(std::string storage_path) {
  return [path = std::move(storage_path), data = std::shared_ptr<store>()]() mutable {
    if (!data) data = std::make_shared<store>(path, sqlite::open_mode::read_only);
    gmr::table shown = queues_table(*data);
    if (shown.rows.size() < static_cast<std::size_t>(most_queues)) return gmr::value(shown);
    return gmr::value(gmr::key_values{}
                          .add("shown", "the " + std::to_string(most_queues) + " longest")
                          .add("queues", std::move(shown)));
  };
}

std::function<gmr::value()> connections_section(const connections& clients) {
  return [&clients]() -> gmr::value {
    const connections::listing found = clients.list(most_connections, registry_patience);
    if (!found.complete) return "the list of connections is locked";
    gmr::table shown = connections_table(found);
    if (found.shown.size() == found.total && clients.refused() == 0) return shown;
    return gmr::key_values{}
        .add("open", found.total)
        .add("shown, oldest first", found.shown.size())
        .add("refused so far", clients.refused())
        .add("connections", std::move(shown));
  };
}

}  // namespace queue_server
