#include "server.hpp"

#include <pthread.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "http/session.hpp"
#include "notifications/notifier.hpp"
#include "notifications/socket_address.hpp"
#include "peer.hpp"
#include "services.hpp"
#include "storage/sqlite/store.hpp"
#include "storage/storage.hpp"
#include "websocket/session.hpp"

namespace queue_server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// What is left for io threads to come back once connections have been cut.
constexpr std::chrono::seconds last_wait{2};
// Of all clients together: HTTP bodies and WebSocket messages that are coming in.
constexpr std::size_t most_told = std::size_t{64} * 1024 * 1024;  // waits to be told to subscribers
constexpr std::size_t most_received_in_part = std::size_t{256} * 1024 * 1024;

tcp::acceptor listen(asio::io_context& io, const tcp::endpoint& where, int inherited) {
  try {
    tcp::acceptor acceptor(asio::make_strand(io));
    if (inherited >= 0) {
      acceptor.assign(where.protocol(), ::dup(inherited));
      return acceptor;
    }
    acceptor.open(where.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(where);
    acceptor.listen();
    return acceptor;
  } catch (const boost::system::system_error& error) {
    throw unavailable("can't listen on " + name_of(where) + ": " + error.code().message());
  }
}

// Processes that share a file wait for each other's commits.
constexpr const char* patience_with_workers = "PRAGMA busy_timeout = 5000";

std::unique_ptr<engine> open_engine(const options& set, engine_use use) {
  auto opened = std::make_unique<store>(set.storage_path, use == engine_use::write
                                                              ? sqlite::open_mode::read_write
                                                              : sqlite::open_mode::read_only);
  if (set.workers > 1) opened->connection().execute(patience_with_workers);
  return opened;
}

// The addresses of this process's own.
std::string clients_of(const options& set) {
  return address_of_socket(set.worker, {});
}

// WebSocket clients that subscribed themselves and are not there any more. Where that can't be
// written now, their subscriptions last until their time is over, which does no harm.
void forget_clients(engine& data, const std::string& addresses) try {
  data.forget_subscribers(addresses);
} catch (const storage_error&) {
  return;
}

std::unique_ptr<storage> open_storage(const options& set) {
  if (set.workers == 1) prepare_storage(set);
  try {
    // Of the worker before this one.
    if (set.workers > 1) forget_clients(*open_engine(set, engine_use::write), clients_of(set));
    return std::make_unique<storage>([set](engine_use use) { return open_engine(set, use); },
                                     set.storage_readers, set.tell, set.turns);
  } catch (const storage_error& error) {
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
  implementation(const options& set, connections& clients, service_log& log)
      : allowed_(set.allowed),
        io_(set.threads),
        http_(listen(io_, set.http, set.http_socket)),
        websocket_(listen(io_, set.websocket, set.websocket_socket)),
        data_(open_storage(set)),
        threads_wanted_(set.threads),
        sweeps_(set.sweeps),
        clients_(clients_of(set)),
        told_(io_, allowed_, log, telling_, set.mail, set.worker),
        shared_{*data_,
                clients,
                allowed_,
                told_,
                receiving_,
                log,
                set.debug_endpoints,
                set.idle_limit,
                set.websocket_ping,
                set.origins,
                set.transfer_limit} {}

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
    told_.stop();
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
    if (!told_.live()->used()) return true;
    data_->execute({engine_use::write, {}, [mine = clients_](engine& data) {
                      data.forget_subscribers(mine);
                      return true;
                    }});
    return true;
  }

  ~implementation() {
    io_.stop();
    for (std::thread& each : threads_)
      if (each.joinable()) each.join();
  }

  [[nodiscard]] storage& data() const noexcept { return *data_; }
  [[nodiscard]] const notifier& told() const noexcept { return told_; }
  [[nodiscard]] tcp::endpoint http_endpoint() const { return http_.local_endpoint(); }
  [[nodiscard]] tcp::endpoint websocket_endpoint() const { return websocket_.local_endpoint(); }
  void sweep() { data_->sweep(sweeps_); }

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

  // Sessions, which the io_context destroys, use these.
  const rules allowed_;
  budget receiving_{most_received_in_part};
  budget telling_{most_told};
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor http_;
  tcp::acceptor websocket_;
  std::unique_ptr<storage> data_;
  const int threads_wanted_;
  const bool sweeps_;
  const std::string clients_;  // the addresses of those that subscribed themselves
  notifier told_;
  services shared_;
  presence inside_;
  std::vector<std::thread> threads_;
};

int listening_socket(const tcp::endpoint& where) {
  asio::io_context io;
  return listen(io, where, -1).release();
}

void prepare_storage(const options& set) {
  try {
    if (set.check_storage && std::filesystem::exists(set.storage_path)) {
      check_for_damage(set.storage_path);
    }
    forget_clients(*open_engine(set, engine_use::write), std::string(socket_scheme));
  } catch (const storage_error& error) {
    throw unavailable("can't use " + set.storage_path + ": " + error.what());
  }
}

server::server(const options& set, connections& clients, service_log& log)
    : implementation_(std::make_unique<implementation>(set, clients, log)) {}

server::~server() = default;

tcp::endpoint server::http_endpoint() const {
  return implementation_->http_endpoint();
}
tcp::endpoint server::websocket_endpoint() const {
  return implementation_->websocket_endpoint();
}
storage& server::data() const noexcept {
  return implementation_->data();
}
const notifier& server::told() const noexcept {
  return implementation_->told();
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
