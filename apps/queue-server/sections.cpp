#include "sections.hpp"

#include <sys/wait.h>

#include <chrono>
#include <utility>

namespace queue_server {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t most_connections = 1000;
// Within section_seconds, with room for what else a report does.
constexpr std::chrono::milliseconds storage_patience{500};
constexpr std::chrono::milliseconds registry_patience{500};
// A count that is older is said to be.
constexpr std::chrono::seconds fresh{1};

gmr::value seconds_of(const std::optional<std::int64_t>& age) {
  return age ? gmr::value(*age) : gmr::value();
}

std::int64_t whole_seconds(clock::duration time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

using counted = std::shared_ptr<const last_census::counted>;

constexpr const char* never_counted = "not counted yet: the storage did not answer";

// What is not of this moment says so.
void add_age(gmr::key_values& shown, const last_census::counted& of) {
  const auto age = clock::now() - of.began;
  if (age > fresh) shown.add("counted seconds ago", whole_seconds(age));
}

// A count that was under way already does not know of the latest posts; the one after it does.
counted count_again(storage& data) {
  const auto asked = clock::now();
  counted latest;
  for (int time = 0; time < 2 && (!latest || latest->began < asked); ++time) {
    const std::uint64_t before = data.counted().ended();
    data.count();
    latest = data.counted().next(before, storage_patience);
  }
  return latest;
}

gmr::value queues_value(const last_census::counted& of) {
  gmr::table rows{{"queue", "messages", "claimed", "oldest seconds"}, {}};
  for (const queue_summary& each : of.found.queues) {
    rows.rows.push_back({each.queue.project + "/" + each.queue.name, each.messages, each.claimed,
                         seconds_of(each.oldest_age)});
  }
  gmr::key_values shown;
  add_age(shown, of);
  if (rows.rows.size() >= storage::most_lines_counted) {
    shown.add("shown", "the " + std::to_string(rows.rows.size()) + " longest");
  }
  if (shown.entries.empty()) return rows;
  return shown.add("queues", std::move(rows));
}

gmr::value claims_value(const last_census::counted& of) {
  gmr::table rows{{"queue", "claims", "messages", "oldest seconds", "next ends in seconds"}, {}};
  for (const claims_summary& each : of.found.claims) {
    rows.rows.push_back({each.queue.project + "/" + each.queue.name, each.claims, each.messages,
                         each.oldest_age, each.next_end});
  }
  gmr::key_values shown;
  add_age(shown, of);
  return shown.add("live claims", of.found.claims_in_all)
      .add("messages they hold", of.found.claimed_messages_in_all)
      .add("queues", std::move(rows));
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

namespace {

void add_fault(gmr::key_values& shown, const storage_health& health) {
  const auto fault = health.now();
  shown.add("state", fault ? "FAULT: " + fault->what : std::string("works"));
  if (fault) {
    shown.add("fault for seconds", whole_seconds(clock::now() - fault->since))
        .add("fault seen times", fault->times);
    if (fault->lasting) shown.add("fault ends", "when the file is mended and the server restarted");
  }
  shown.add("faults so far", health.faults());
}

void add_writer(gmr::key_values& shown, const storage_health& health) {
  const auto since = health.writing_since.load();
  if (since != 0) {
    const auto busy = clock::now().time_since_epoch() - clock::duration(since);
    shown.add("writer busy for milliseconds",
              std::chrono::duration_cast<std::chrono::milliseconds>(busy).count());
  }
  shown.add("writes that wait", health.waiting_writes.load())
      .add("latest write waited microseconds", health.last_wait_us.load())
      .add("longest wait in microseconds", health.longest_wait_us.load())
      .add("reads that wait", health.waiting_reads.load())
      .add("commits", health.commits.load())
      .add("latest commit in microseconds", health.last_commit_us.load())
      .add("slowest commit in microseconds", health.longest_commit_us.load())
      .add("looks at the file", health.looks.load())
      .add("expired or deleted rows removed", health.swept.load());
}

void add_engine(gmr::key_values& shown, const engine_state& engine) {
  shown.add("engine", engine.name)
      .add("file bytes", engine.file_bytes)
      .add("log bytes", engine.log_bytes)
      .add("checkpoints", engine.checkpoints);
  if (engine.checkpoints == 0) return;
  shown.add("latest checkpoint seconds ago", whole_seconds(clock::now() - engine.last_checkpoint))
      .add("latest checkpoint in microseconds", engine.last_checkpoint_us)
      .add("checkpoints that readers held up", engine.checkpoints_unfinished);
  if (engine.checkpoint_problem != nullptr) {
    shown.add("latest checkpoint failed", engine.checkpoint_problem);
  }
}

}  // namespace

std::function<gmr::value()> storage_section(storage_finder found) {
  return [found = std::move(found)]() -> gmr::value {
    const storage* data = found();
    if (data == nullptr) return "not open";
    gmr::key_values shown;
    add_fault(shown, data->health());
    add_engine(shown, data->health().engine());
    add_writer(shown, data->health());
    return shown;
  };
}

std::function<gmr::value()> queues_section(std::function<storage*()> found) {
  return [found = std::move(found)]() -> gmr::value {
    storage* data = found();
    if (data == nullptr) return "not open";
    const counted latest = count_again(*data);
    return latest ? queues_value(*latest) : gmr::value(never_counted);
  };
}

std::function<gmr::value()> claims_section(storage_finder found) {
  return [found = std::move(found)]() -> gmr::value {
    const storage* data = found();
    if (data == nullptr) return "not open";
    const counted latest = data->counted().latest();
    return latest ? claims_value(*latest) : gmr::value(never_counted);
  };
}

std::function<gmr::value()> subscriptions_section(storage_finder found,
                                                  std::function<const notifier*()> told) {
  return [found = std::move(found), told = std::move(told)]() -> gmr::value {
    const storage* data = found();
    const notifier* deliveries = told();
    if (data == nullptr || deliveries == nullptr) return "not running";
    gmr::key_values shown;
    if (const counted latest = data->counted().latest()) {
      add_age(shown, *latest);
      shown.add("subscriptions", latest->found.subscriptions)
          .add("confirmed", latest->found.confirmed_subscriptions)
          .add("queues that have some", latest->found.queues_with_subscriptions);
    } else {
      shown.add("subscriptions", never_counted);
    }
    const notifier::counts& counted = deliveries->counted();
    return shown.add("deliveries under way", counted.active.load())
        .add("deliveries that wait", counted.waiting.load())
        .add("delivered", counted.delivered.load())
        .add("handed to WebSocket clients", counted.live.load())
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
      shown.rows.push_back({number++, std::int64_t{each.pid}, state,
                            each.pid > 0 ? whole_seconds(age) : 0, each.deaths,
                            each.deaths > 0 ? end_of(each.last_status) : std::string()});
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
