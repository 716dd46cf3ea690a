#include "options.hpp"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/split.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/url.hpp>
#include <filesystem>
#include <gmr/options/options.hpp>
#include <thread>

#include "storage/engine/id.hpp"

namespace queue_server {

namespace po = boost::program_options;
using boost::asio::ip::tcp;

namespace {

constexpr int most_threads = 1024;
constexpr int most_workers = 256;

int default_threads() {
  return static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
}

tcp::endpoint endpoint_from(const gmr::loaded_options& loaded, const std::string& section) {
  const auto& bind = loaded.values[section + ".bind"].as<std::string>();
  boost::system::error_code problem;
  // The one name that needs nobody to be asked.
  const auto address =
      boost::asio::ip::make_address(bind == "localhost" ? "127.0.0.1" : bind, problem);
  if (problem) {
    throw loaded.error_at(section + ".bind", "option '" + section + ".bind': '" + bind +
                                                 "' is not an IP address, and not localhost");
  }
  const auto port = loaded.values[section + ".port"].as<int>();
  if (port < 0 || port > 65535) {
    throw loaded.error_at(section + ".port", "option '" + section + ".port': " +
                                                 std::to_string(port) + " is not a port");
  }
  return {address, static_cast<unsigned short>(port)};
}

int checked(const gmr::loaded_options& loaded, const std::string& name, int least, int most) {
  const int value = loaded.values[name].as<int>();
  if (value >= least && value <= most) return value;
  throw loaded.error_at(name, "option '" + name + "': " + std::to_string(value) +
                                  " is not between " + std::to_string(least) + " and " +
                                  std::to_string(most));
}

// sqlite:///relative/path and sqlite:////absolute/path, as SQLAlchemy writes them.
std::string path_of_uri(const gmr::loaded_options& loaded, const std::string& uri) {
  const auto parsed = boost::urls::parse_uri(uri);
  if (parsed && parsed->scheme() == "sqlite" && parsed->encoded_host().empty() &&
      parsed->path().size() > 1) {
    return parsed->path().substr(1);
  }
  // Without the value: it may hold a password.
  throw loaded.error_at("storage.uri",
                        "option 'storage.uri': only sqlite:///PATH is served by this version");
}

std::string storage_path(const gmr::loaded_options& loaded) {
  const bool has_uri = loaded.values.count("storage.uri") > 0;
  const std::string option = has_uri ? "storage.uri" : "storage.path";
  const std::string path = has_uri ? path_of_uri(loaded, loaded.values[option].as<std::string>())
                                   : loaded.values[option].as<std::string>();
  if (path.empty() || path.starts_with(':') || path.starts_with("file:")) {
    throw loaded.error_at(option, "option '" + option + "': the name of a file is needed");
  }
  const auto folder = std::filesystem::absolute(path).parent_path();
  std::error_code problem;
  if (!std::filesystem::is_directory(folder, problem)) {
    throw loaded.error_at(option,
                          "option '" + option + "': there is no directory " + folder.string());
  }
  return path;
}

std::vector<std::string> list_from(const std::string& text) {
  std::vector<std::string> parts;
  boost::algorithm::split(
      parts, text, [](char each) { return each == ',' || each == ' '; },
      boost::algorithm::token_compress_on);
  std::erase(parts, "");
  return parts;
}

// Zaqar's limits: where each is kept, and between what it may be set.
struct limit {
  const char* name;
  std::int64_t rules::* value;
  std::int64_t least;
  std::int64_t most;
};
constexpr std::int64_t longest_time = std::int64_t{1} << 31;
constexpr std::array transport_limits{
    limit{"max_messages_post_size", &rules::max_messages_post_size, 1024, 16 << 20},
    limit{"max_queue_metadata", &rules::max_queue_metadata, 64, 1 << 20},
    limit{"max_queues_per_page", &rules::max_queues_per_page, 1, 1000},
    limit{"max_messages_per_page", &rules::max_messages_per_page, 1, 1000},
    limit{"max_subscriptions_per_page", &rules::max_subscriptions_per_page, 1, 1000},
    limit{"max_messages_per_claim_or_pop", &rules::max_messages_per_claim_or_pop, 1, 1000},
    limit{"max_message_ttl", &rules::max_message_ttl, limits::least_time, longest_time},
    limit{"max_message_delay", &rules::max_message_delay, 0, longest_time},
    limit{"max_claim_ttl", &rules::max_claim_ttl, limits::least_time, longest_time},
    limit{"max_claim_grace", &rules::max_claim_grace, limits::least_time, longest_time},
    limit{"default_message_ttl", &rules::default_message_ttl, limits::least_time, longest_time},
    limit{"default_message_delay", &rules::default_message_delay, 0, longest_time},
    limit{"min_length_client_id", &rules::min_length_client_id, 1, 256},
    limit{"max_length_client_id", &rules::max_length_client_id, 1, 256},
    limit{"default_claim_ttl", &rules::default_claim_ttl, limits::least_time, longest_time},
    limit{"default_claim_grace", &rules::default_claim_grace, limits::least_time, longest_time},
    limit{"default_subscription_ttl", &rules::default_subscription_ttl, limits::least_time,
          longest_time},
};

po::options_description describe_rules() {
  const rules defaults;
  po::options_description described("[transport], [notification] and [signed_url]");
  auto add = described.add_options();
  for (const limit& each : transport_limits) {
    add((std::string("transport.") + each.name).c_str(),
        po::value<std::int64_t>()->default_value(defaults.*each.value), "as in Zaqar");
  }
  add("transport.client_id_uuid_safe", po::value<std::string>()->default_value("strict"),
      "strict: a Client-ID must be a UUID; off: its length counts")  //
      ("transport.message_delete_with_claim_id", po::value<bool>()->default_value(false),
       "only claimed messages can be deleted")  //
      ("notification.require_confirmation", po::value<bool>()->default_value(false),
       "tell subscribers only once they have confirmed")  //
      ("notification.hosts", po::value<std::string>()->default_value("127.0.0.1,[::1],localhost"),
       "hosts that may be told, with commas between")  //
      ("signed_url.secret_key", po::value<std::string>(),
       "signs URLs; without it they are good until the server stops");
  return described;
}

// As in Zaqar, and like other switches.
bool is_strict(const gmr::loaded_options& loaded, const std::string& name) {
  const auto& value = loaded.values[name].as<std::string>();
  if (value == "strict" || value == "on") return true;
  if (value == "off") return false;
  throw loaded.error_at(name, "option '" + name + "': '" + value + "' is neither strict nor off");
}

rules rules_from(const gmr::loaded_options& loaded) {
  rules set;
  for (const limit& each : transport_limits) {
    const std::string name = std::string("transport.") + each.name;
    const auto value = loaded.values[name].as<std::int64_t>();
    if (value < each.least || value > each.most) {
      throw loaded.error_at(name, "option '" + name + "': " + std::to_string(value) +
                                      " is not between " + std::to_string(each.least) + " and " +
                                      std::to_string(each.most));
    }
    set.*each.value = value;
  }
  set.client_id_uuid_safe = is_strict(loaded, "transport.client_id_uuid_safe");
  set.message_delete_with_claim_id =
      loaded.values["transport.message_delete_with_claim_id"].as<bool>();
  set.require_confirmation = loaded.values["notification.require_confirmation"].as<bool>();
  set.subscriber_hosts = list_from(loaded.values["notification.hosts"].as<std::string>());
  set.signed_url_secret_key = loaded.values.count("signed_url.secret_key") > 0
                                  ? loaded.values["signed_url.secret_key"].as<std::string>()
                                  : new_id();
  return set;
}

connections::limits connections_from(const gmr::loaded_options& loaded) {
  connections::limits set;
  const int most = checked(loaded, "server.max_connections", 1, 1'000'000);
  set.most = static_cast<std::size_t>(most);
  set.per_address =
      static_cast<std::size_t>(checked(loaded, "server.max_connections_per_address", 0, 1'000'000));
  const auto per_port = [&](const char* name) {
    const auto given = static_cast<std::size_t>(checked(loaded, name, 0, 1'000'000));
    return given > 0 ? given : set.most - set.most / 10;
  };
  set.per_protocol = {{"http", per_port("http.max_connections")},
                      {"websocket", per_port("websocket.max_connections")}};
  return set;
}

}  // namespace

po::options_description describe_options() {
  po::options_description described("queue-server");
  described.add_options()                                                            //
      ("help", "show this text")                                                     //
      ("version", "show the version")                                                //
      ("config-file", po::value<std::string>(), "read options from this INI file");  //
  po::options_description http("[http]");
  http.add_options()  //
      ("http.bind", po::value<std::string>()->default_value("127.0.0.1"), "address to listen on")(
          "http.port", po::value<int>()->default_value(8888), "port; 0: a free one")  //
      ("http.idle_seconds", po::value<int>()->default_value(120),
       "close connections that send no request for so long; 0: never")(
          "http.max_connections", po::value<int>()->default_value(0),
          "clients on this port; 0: nine tenths of server.max_connections");
  po::options_description websocket("[websocket]");
  websocket.add_options()  //
      ("websocket.bind", po::value<std::string>()->default_value("127.0.0.1"),
       "address to listen on")  //
      ("websocket.port", po::value<int>()->default_value(9000), "port; 0: a free one")(
          "websocket.ping_seconds", po::value<int>()->default_value(60),
          "ping clients that are silent for so long; 0: never")(
          "websocket.max_connections", po::value<int>()->default_value(0),
          "clients on this port; 0: nine tenths of server.max_connections")(
          "websocket.origins", po::value<std::string>()->default_value(""),
          "web pages that may connect, as https://HOST, with commas between; *: all");
  po::options_description server("[server]");
  server.add_options()  //
      ("server.threads", po::value<int>()->default_value(default_threads()), "io threads")(
          "server.workers", po::value<int>()->default_value(1),
          "processes that serve; more than 1 have a parent that starts them again")(
          "server.max_connections", po::value<int>()->default_value(10000),
          "clients of both ports")("server.max_connections_per_address",
                                   po::value<int>()->default_value(0),
                                   "from one address; 0: as many as come")(
          "server.transfer_seconds", po::value<int>()->default_value(30),
          "time for a request to come in, and for an answer to go out")(
          "server.shutdown_seconds", po::value<int>()->default_value(10),
          "time for requests in flight when told to stop");
  po::options_description storage("[storage]");
  storage.add_options()  //
      ("storage.path", po::value<std::string>()->default_value("queue-server.db"), "SQLite file")(
          "storage.uri", po::value<std::string>(), "the same as sqlite:///PATH; wins over path")(
          "storage.readers", po::value<int>()->default_value(2), "threads that read")(
          "storage.check", po::value<bool>()->default_value(true),
          "look for damage of the file at start");
  po::options_description log("[log]");
  log.add_options()  //
      ("log.file", po::value<std::string>()->default_value(""),
       "write a log of events, as JSON, to this file; -: standard output")(
          "log.access", po::value<bool>()->default_value(true), "a line of each request, too");
  po::options_description debug("[debug]");
  debug.add_options()("debug.endpoints", po::value<bool>()->default_value(false),
                      "serve POST /debug/block, which blocks an io thread");
  described.add(http)
      .add(websocket)
      .add(server)
      .add(storage)
      .add(describe_rules())
      .add(log)
      .add(debug)
      .add(gmr::options());
  return described;
}

options options_from(const gmr::loaded_options& loaded) {
  static_cast<void>(gmr::settings_from(loaded));  // before anything is opened
  options read;
  read.http = endpoint_from(loaded, "http");
  read.websocket = endpoint_from(loaded, "websocket");
  read.threads = checked(loaded, "server.threads", 1, most_threads);
  read.workers = checked(loaded, "server.workers", 1, most_workers);
  read.storage_readers = checked(loaded, "storage.readers", 1, most_threads);
  read.most_connections = connections_from(loaded);
  read.idle_limit = std::chrono::seconds(checked(loaded, "http.idle_seconds", 0, 86400));
  read.websocket_ping = std::chrono::seconds(checked(loaded, "websocket.ping_seconds", 0, 86400));
  read.transfer_limit = std::chrono::seconds(checked(loaded, "server.transfer_seconds", 1, 3600));
  read.origins = list_from(loaded.values["websocket.origins"].as<std::string>());
  read.allowed = rules_from(loaded);
  read.check_storage = loaded.values["storage.check"].as<bool>();
  read.shutdown_limit = std::chrono::seconds(checked(loaded, "server.shutdown_seconds", 1, 3600));
  read.storage_path = storage_path(loaded);
  read.log = {loaded.values["log.file"].as<std::string>(), loaded.values["log.access"].as<bool>()};
  read.debug_endpoints = loaded.values["debug.endpoints"].as<bool>();
  return read;
}

}  // namespace queue_server
