#include "sections.hpp"

#include <sys/wait.h>

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

gmr::table queues_table(engine& data) {
  gmr::table shown{{"queue", "messages", "claimed", "oldest seconds"}, {}};
  data.limit_time(query_limit);
  for (const queue_summary& each : data.summary(most_queues)) {
    shown.rows.push_back({each.queue.project + "/" + each.queue.name, each.messages, each.claimed,
                          seconds_of(each.oldest_age)});
  }
  return shown;
}

std::string end_of(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit code " + std::to_string(WEXITSTATUS(status));
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

std::function<gmr::value()> queues_section(std::function<std::unique_ptr<engine>()> open) {
  return [open = std::move(open)] {
    const std::unique_ptr<engine> data = open();
    gmr::table shown = queues_table(*data);
    if (shown.rows.size() < static_cast<std::size_t>(most_queues)) return gmr::value(shown);
    return gmr::value(gmr::key_values{}
                          .add("shown", "the " + std::to_string(most_queues) + " longest")
                          .add("queues", std::move(shown)));
  };
}

std::function<gmr::value()> storage_section(std::function<const storage_health*()> found) {
  return [found = std::move(found)]() -> gmr::value {
    const storage_health* health = found();
    if (health == nullptr) return "not open";
    const auto fault = health->now();
    gmr::key_values shown;
    shown.add("state", fault ? "fault: " + fault->what : std::string("works"));
    if (fault) {
      const auto since = std::chrono::steady_clock::now() - fault->since;
      shown
          .add("fault for seconds", std::chrono::duration_cast<std::chrono::seconds>(since).count())
          .add("fault seen times", fault->times);
    }
    return shown.add("faults so far", health->faults())
        .add("writes that wait", health->waiting_writes.load())
        .add("reads that wait", health->waiting_reads.load())
        .add("commits", health->commits.load())
        .add("latest commit in microseconds", health->last_commit_us.load())
        .add("slowest commit in microseconds", health->longest_commit_us.load())
        .add("expired or deleted rows removed", health->swept.load());
  };
}

std::function<gmr::value()> notifications_section(std::function<const notifier*()> found) {
  return [found = std::move(found)]() -> gmr::value {
    const notifier* told = found();
    if (told == nullptr) return "not running";
    const notifier::counts& counted = told->counted();
    return gmr::key_values{}
        .add("active", counted.active.load())
        .add("waiting", counted.waiting.load())
        .add("delivered", counted.delivered.load())
        .add("failed", counted.failed.load())
        .add("dropped", counted.dropped.load());
  };
}

std::function<gmr::value()> workers_section(const supervisor& parent) {
  return [&parent]() -> gmr::value {
    gmr::table shown{{"worker", "process", "state", "age s", "deaths", "last end"}, {}};
    std::int64_t number = 0;
    for (const supervisor::worker& each : parent.workers()) {
      const auto age = std::chrono::steady_clock::now() - each.since;
      const char* state = each.serves ? "serves" : each.pid > 0 ? "starts" : "waits to be started";
      shown.rows.push_back(
          {number++, std::int64_t{each.pid}, state,
           each.pid > 0 ? std::chrono::duration_cast<std::chrono::seconds>(age).count() : 0,
           each.deaths, each.deaths > 0 ? end_of(each.last_status) : std::string()});
    }
    return shown;
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
