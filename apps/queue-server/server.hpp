// The running service: listeners, io threads, sessions, storage.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "connections.hpp"
#include "options.hpp"

namespace queue_server {

class notifier;
class service_log;
class storage;

// An address that can't be listened on, or a storage that can't be opened.
class unavailable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// For processes that share it: an open socket, to be closed by whoever asked. Throws unavailable.
[[nodiscard]] int listening_socket(const boost::asio::ip::tcp::endpoint& where);

// Makes the storage as far as it is missing. Throws unavailable when it can't be used, or is
// damaged.
void prepare_storage(const options& set);

class server final {
 public:
  // Opens the storage and both listeners. Throws unavailable. `clients` and `log` must outlive it.
  server(const options& set, connections& clients, service_log& log);
  // stop() must have been called, and have returned true, if start() has returned.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  [[nodiscard]] boost::asio::ip::tcp::endpoint http_endpoint() const;
  [[nodiscard]] boost::asio::ip::tcp::endpoint websocket_endpoint() const;

  [[nodiscard]] storage& data() const noexcept;
  [[nodiscard]] const notifier& told() const noexcept;

  void start();  // throws unavailable

  // Stops accepting, lets requests in flight finish, closes what is idle; after `limit` cuts the
  // connections that are left. False: an io thread does not come back, so nothing may be destroyed.
  [[nodiscard]] bool stop(std::chrono::seconds limit);

  // Takes what has expired off the disk, in the background.
  void sweep();

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace queue_server
