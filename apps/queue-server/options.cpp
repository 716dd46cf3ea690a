#include "options.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/url.hpp>
#include <filesystem>
#include <gmr/section/options.hpp>
#include <thread>

namespace queue_server {

namespace po = boost::program_options;
using boost::asio::ip::tcp;

namespace {

constexpr int most_threads = 1024;

int default_threads() {
  return static_cast<int>(std::max(2U, std::thread::hardware_concurrency()));
}

tcp::endpoint endpoint_from(const gmr::loaded_options& loaded, const std::string& section) {
  const auto& bind = loaded.values[section + ".bind"].as<std::string>();
  boost::system::error_code problem;
  const auto address = boost::asio::ip::make_address(bind, problem);
  if (problem) {
    throw loaded.error_at(section + ".bind",
                          "option '" + section + ".bind': '" + bind + "' is not an IP address");
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

void check_workers(const gmr::loaded_options& loaded) {
  if (loaded.values["server.workers"].as<int>() == 1) return;
  const auto error = loaded.error_at(
      "server.workers", "option 'server.workers': this version serves with 1 worker process");
  // Wherever it was set: it is the configuration that this version can't serve.
  throw gmr::configuration_error{gmr::configuration_error::place::file, error.what()};
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
      ("http.idle_seconds", po::value<int>()->default_value(0),
       "close connections that send no request for so long; 0: never");
  po::options_description websocket("[websocket]");
  websocket.add_options()  //
      ("websocket.bind", po::value<std::string>()->default_value("127.0.0.1"),
       "address to listen on")  //
      ("websocket.port", po::value<int>()->default_value(9000), "port; 0: a free one");
  po::options_description server("[server]");
  server.add_options()  //
      ("server.threads", po::value<int>()->default_value(default_threads()), "io threads")(
          "server.workers", po::value<int>()->default_value(1), "processes; only 1 so far")(
          "server.max_connections", po::value<int>()->default_value(10000),
          "refuse clients beyond")("server.shutdown_seconds", po::value<int>()->default_value(10),
                                   "time for requests in flight when told to stop");
  po::options_description storage("[storage]");
  storage.add_options()  //
      ("storage.path", po::value<std::string>()->default_value("queue-server.db"), "SQLite file")(
          "storage.uri", po::value<std::string>(), "the same as sqlite:///PATH; wins over path")(
          "storage.readers", po::value<int>()->default_value(2), "threads that read");
  po::options_description debug("[debug]");
  debug.add_options()("debug.endpoints", po::value<bool>()->default_value(false),
                      "serve POST /debug/block, which blocks an io thread");
  described.add(http).add(websocket).add(server).add(storage).add(debug).add(gmr::options());
  return described;
}

options options_from(const gmr::loaded_options& loaded) {
  check_workers(loaded);
  static_cast<void>(gmr::settings_from(loaded));  // before anything is opened
  options read;
  read.http = endpoint_from(loaded, "http");
  read.websocket = endpoint_from(loaded, "websocket");
  read.threads = checked(loaded, "server.threads", 1, most_threads);
  read.storage_readers = checked(loaded, "storage.readers", 1, most_threads);
  read.most_connections =
      static_cast<std::size_t>(checked(loaded, "server.max_connections", 1, 1'000'000));
  read.idle_limit = std::chrono::seconds(checked(loaded, "http.idle_seconds", 0, 86400));
  read.shutdown_limit = std::chrono::seconds(checked(loaded, "server.shutdown_seconds", 1, 3600));
  read.storage_path = storage_path(loaded);
  read.debug_endpoints = loaded.values["debug.endpoints"].as<bool>();
  return read;
}

}  // namespace queue_server
