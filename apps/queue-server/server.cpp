#include "server.hpp"

#include <pthread.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "http/session.hpp"
#include "peer.hpp"
#include "services.hpp"
#include "storage/sqlite.hpp"
#include "storage/storage.hpp"
#include "websocket/session.hpp"

namespace queue_server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// What is left for io threads to come back once connections have been cut.
constexpr std::chrono::seconds last_wait{2};

tcp::acceptor listen(asio::io_context& io, const tcp::endpoint& where) {
  try {
    tcp::acceptor acceptor(asio::make_strand(io));
    acceptor.open(where.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(where);
    acceptor.listen();
    return acceptor;
  } catch (const boost::system::system_error& error) {
    throw unavailable("can't listen on " + name_of(where) + ": " + error.code().message());
  }
}

std::unique_ptr<storage> open_storage(const options& set) {
  try {
    return std::make_unique<storage>(set.storage_path, set.storage_readers);
  } catch (const sqlite::error& error) {
    throw unavailable("can't use " + set.storage_path + ": " + error.what());
  }
}

// Counts threads that are still inside.
class presence final {
 public:
  void enter() {
    const std::lock_guard lock(mutex_);
    ++inside_;
  }
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      --inside_;
    }
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_empty(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, deadline, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
};

}  // namespace

// Members are destroyed from the last to the first: the storage first, which finishes its work;
// then the io_context, and with it the sessions that were cut.
class server::implementation final {
 public:
  implementation(const options& set, connections& clients)
      : io_(set.threads),
        http_(listen(io_, set.http)),
        websocket_(listen(io_, set.websocket)),
        data_(open_storage(set)),
        threads_wanted_(set.threads),
        shared_{*data_, clients, set.debug_endpoints, set.idle_limit} {}

  void start() {
    asio::co_spawn(http_.get_executor(), http::accept_clients(http_, shared_), asio::detached);
    websocket::spawn_acceptor(websocket_, shared_);
    for (int number = 0; number < threads_wanted_; ++number)
      start_thread(number);
  }

  bool stop(std::chrono::seconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    for (tcp::acceptor* acceptor : {&http_, &websocket_}) {
      asio::post(acceptor->get_executor(), [acceptor] {
        boost::system::error_code ignored;
        acceptor->close(ignored);
      });
    }
    shared_.clients.stop_all();
    work_.reset();
    bool ended = inside_.wait_empty(deadline);
    if (!ended) {
      io_.stop();
      ended = inside_.wait_empty(std::chrono::steady_clock::now() + last_wait);
    }
    if (!ended) return false;
    for (std::thread& each : threads_)
      each.join();
    return true;
  }

  ~implementation() {
    io_.stop();
    for (std::thread& each : threads_)
      if (each.joinable()) each.join();
  }

  [[nodiscard]] tcp::endpoint http_endpoint() const { return http_.local_endpoint(); }
  [[nodiscard]] tcp::endpoint websocket_endpoint() const { return websocket_.local_endpoint(); }
  void sweep() { data_->sweep(); }

 private:
  void start_thread(int number) try {
    inside_.enter();
    threads_.emplace_back([this, number] {
      pthread_setname_np(pthread_self(), ("io-" + std::to_string(number)).c_str());
      io_.run();
      inside_.leave();
    });
  } catch (const std::system_error& error) {
    inside_.leave();
    throw unavailable("io thread " + std::to_string(number + 1) + " of " +
                      std::to_string(threads_wanted_) + ": " + error.what());
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor http_;
  tcp::acceptor websocket_;
  std::unique_ptr<storage> data_;
  const int threads_wanted_;
  services shared_;
  presence inside_;
  std::vector<std::thread> threads_;
};

server::server(const options& set, connections& clients)
    : implementation_(std::make_unique<implementation>(set, clients)) {}

server::~server() = default;

tcp::endpoint server::http_endpoint() const {
  return implementation_->http_endpoint();
}
tcp::endpoint server::websocket_endpoint() const {
  return implementation_->websocket_endpoint();
}
void server::start() {
  implementation_->start();
}
bool server::stop(std::chrono::seconds limit) {
  return implementation_->stop(limit);
}
void server::sweep() {
  implementation_->sweep();
}

}  // namespace queue_server
