// queue-server: a small message queue with the HTTP and WebSocket interfaces of OpenStack Zaqar.
//
// The main thread takes the signals that stop the server, and nothing else, so that the server can
// be stopped although every io thread is blocked.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <gmr/gmr.hpp>
#include <iostream>
#include <string_view>

#include "connections.hpp"
#include "log/log.hpp"
#include "options.hpp"
#include "peer.hpp"
#include "sections.hpp"
#include "server.hpp"
#include "signals.hpp"
#include "storage/storage.hpp"
#include "storage/turnstile.hpp"
#include "workers/mailboxes.hpp"
#include "workers/spawner.hpp"
#include "workers/supervisor.hpp"

namespace {

namespace asio = boost::asio;
namespace po = boost::program_options;

// As sysexits.h has them.
constexpr int exit_done = 0;
constexpr int exit_unavailable = 69;
constexpr int exit_software = 70;

constexpr std::chrono::seconds sweep_interval{1};
constexpr std::chrono::seconds most_for_last_lines{2};  // of the log
// Descriptors that are not for clients: the storage, the reports, the listeners, webhooks.
constexpr rlim_t own_descriptors = 200;

// Where one was closed, the next file to be opened would take its place, and get what is meant for
// standard error.
void keep_standard_descriptors() {
  for (const int standard : {0, 1, 2}) {
    if (::fcntl(standard, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

// As many descriptors as may be had; says so where they are too few for the clients that are
// allowed, and allows fewer.
void fit_connections(queue_server::options& set, queue_server::service_log& log) {
  queue_server::connections::limits& clients = set.most_connections;
  struct rlimit descriptors = {};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &descriptors));
  if (descriptors.rlim_cur == RLIM_INFINITY) return;
  const rlim_t own = own_descriptors + 2 * static_cast<rlim_t>(set.workers);  // for their mail
  const rlim_t kept = std::min(own, descriptors.rlim_cur / 2);
  const auto most = static_cast<std::size_t>(descriptors.rlim_cur - kept);
  if (clients.most <= most) return;
  clients.most = most;
  for (auto& [protocol, its_own] : clients.per_protocol)
    its_own = std::min(its_own, most - most / 10);
  std::cerr << "queue-server: at most " << most << " clients, as only " << descriptors.rlim_cur
            << " descriptors may be open" << std::endl;
  log.event("fewer clients", {{"clients", most}, {"descriptors", descriptors.rlim_cur}},
            queue_server::severity::warning);
}

void sweep_now_and_then(asio::steady_timer& timer, queue_server::server& running,
                        queue_server::service_log& log) {
  timer.expires_after(sweep_interval);
  timer.async_wait([&timer, &running, &log](boost::system::error_code) {
    running.sweep();
    if (queue_server::hangup_came()) log.reopen();
    sweep_now_and_then(timer, running, log);
  });
}

// Returns once SIGTERM or SIGINT came. From then on a second one ends the process at once.
void serve_until_told(asio::io_context& main_loop, asio::signal_set& signals,
                      queue_server::server& running, queue_server::service_log& log) {
  asio::steady_timer timer(main_loop);
  sweep_now_and_then(timer, running, log);
  signals.async_wait([&main_loop, &log](boost::system::error_code, int signal) {
    log.event("stopping", {{"signal", signal}});
    main_loop.stop();
  });
  main_loop.run();
  signals.clear();
}

// Outlives the reporter, whose sections look at it while it is there.
struct running_server {
  std::unique_ptr<queue_server::server> owned;
  std::atomic<const queue_server::server*> shown = nullptr;
};

void say_where(const asio::ip::tcp::endpoint& http, const asio::ip::tcp::endpoint& websocket) {
  std::cout << "http listening on " << queue_server::name_of(http) << '\n'
            << "websocket listening on " << queue_server::name_of(websocket) << std::endl;
}

// The log is the last to end. Whoever takes its lines may have stopped to, and is not waited for.
int ended(queue_server::service_log& log, int code) {
  log.event("stopped", {{"code", code}});
  if (!log.close(most_for_last_lines)) std::_Exit(code);
  return code;
}

// `worker` is null for the only process.
int serve(const queue_server::options& set, queue_server::connections& clients,
          running_server& running, queue_server::service_log& log,
          const queue_server::spawner* worker) {
  asio::io_context main_loop(1);
  asio::signal_set signals(main_loop, SIGTERM, SIGINT);
  running.owned = std::make_unique<queue_server::server>(set, clients, log);
  queue_server::server& server = *running.owned;
  server.start();
  running.shown = &server;
  if (worker == nullptr) {
    say_where(server.http_endpoint(), server.websocket_endpoint());
  } else {
    worker->say_it_serves();
  }
  log.event("serves", {{"version", QUEUE_SERVER_VERSION},
                       {"http", queue_server::name_of(server.http_endpoint())},
                       {"websocket", queue_server::name_of(server.websocket_endpoint())}});
  serve_until_told(main_loop, signals, server, log);
  if (server.stop(set.shutdown_limit)) return exit_done;
  std::cerr << "queue-server: an io thread does not come back; leaving without it" << std::endl;
  std::_Exit(exit_software);
}

const gmr::package package{.name = "queue-server",
                           .version = QUEUE_SERVER_VERSION,
                           .vendor = "gmr",
                           .revision = QUEUE_SERVER_REVISION};

// What the operator must know at once.
std::function<void(const std::string&)> teller(queue_server::service_log& log) {
  return [&log](const std::string& line) {
    std::cerr << "queue-server: storage: " + line + '\n';
    log.event("storage", {{"text", line}}, queue_server::severity::warning);
  };
}

// The last lines of the log are in reports.
class copied_log final {
 public:
  copied_log(queue_server::service_log& log, gmr::reporter& reporter) : log_(log) {
    log_.copy_to([&reporter](std::string_view line) { reporter.log_line(line); });
  }
  ~copied_log() { log_.copy_to({}); }  // storage's threads outlive the reporter
  copied_log(const copied_log&) = delete;
  copied_log& operator=(const copied_log&) = delete;

 private:
  queue_server::service_log& log_;
};

int serve_with_reports(const queue_server::options& set, const gmr::loaded_options& loaded,
                       queue_server::service_log& log, const queue_server::spawner* worker) {
  queue_server::connections clients(set.most_connections);
  running_server running;
  gmr::reporter reporter(package, loaded);
  const auto data = [&running]() -> queue_server::storage* {
    const queue_server::server* shown = running.shown;
    return shown == nullptr ? nullptr : &shown->data();
  };
  const auto told = [&running]() -> const queue_server::notifier* {
    const queue_server::server* shown = running.shown;
    return shown == nullptr ? nullptr : &shown->told();
  };
  reporter.add_section("Storage", queue_server::storage_section(data));
  reporter.add_section("Queues", queue_server::queues_section(data));
  reporter.add_section("Claims", queue_server::claims_section(data));
  reporter.add_section("Subscriptions", queue_server::subscriptions_section(data, told));
  reporter.add_section("Connections", queue_server::connections_section(clients));
  const copied_log copied(log, reporter);
  return serve(set, clients, running, log, worker);
}

int run_server(queue_server::options set, const gmr::loaded_options& loaded,
               const queue_server::spawner* worker) {
  queue_server::service_log log(set.log);
  set.tell = teller(log);
  fit_connections(set, log);
  return ended(log, serve_with_reports(set, loaded, log, worker));
}

// Each worker is a process like the only one, with its part of the clients.
int run_worker(queue_server::options set, const gmr::loaded_options& loaded,
               const queue_server::spawner& self) {
  const auto part = [&set](std::size_t& most) {
    most = std::max<std::size_t>(1, most / static_cast<std::size_t>(set.workers));
  };
  part(set.most_connections.most);
  for (auto& [protocol, most] : set.most_connections.per_protocol)
    part(most);
  set.check_storage = false;
  set.sweeps = self.number() == 0;
  set.worker = self.number();
  return run_server(std::move(set), loaded, &self);
}

// The parent of the workers, or a worker: everything that a worker inherits is there before.
int run_workers(queue_server::options set, const gmr::loaded_options& loaded) {
  queue_server::prepare_storage(set);
  set.http_socket = queue_server::listening_socket(set.http);
  set.websocket_socket = queue_server::listening_socket(set.websocket);
  queue_server::mailboxes mail(set.workers);
  set.mail = &mail;
  set.turns = &queue_server::turnstile::shared();
  queue_server::spawner makes;
  if (makes.number() >= 0) return run_worker(std::move(set), loaded, makes);
  const auto where = [](int socket, const asio::ip::tcp::endpoint& wanted) {
    asio::io_context io;
    return asio::ip::tcp::acceptor(io, wanted.protocol(), ::dup(socket)).local_endpoint();
  };
  queue_server::service_log log(set.log);
  const auto say_all_serve = [&set, &where] {
    say_where(where(set.http_socket, set.http), where(set.websocket_socket, set.websocket));
  };
  queue_server::supervisor parent(makes, set.workers, set.shutdown_limit, say_all_serve, log);
  gmr::reporter reporter(package, loaded);
  reporter.add_section("Workers", queue_server::workers_section(parent));
  const copied_log copied(log, reporter);
  return ended(log, parent.run());
}

void leave_signals_to_reporter(const gmr::settings& set) {
  if (set.file_event_handler.empty() && set.signal > 0) queue_server::leave_to_reporter(set.signal);
  if (set.capture_signal > 0) queue_server::leave_to_reporter(set.capture_signal);
}

int run(int argc, char** argv) {
  const po::options_description described = queue_server::describe_options();
  const gmr::loaded_options loaded = gmr::load_options(argc, argv, described);
  if (loaded.values.count("help") > 0) {
    std::cout << "usage: queue-server [--config-file FILE] [--SECTION.OPTION=VALUE ...]\n"
              << described;
    return exit_done;
  }
  if (loaded.values.count("version") > 0) {
    std::cout << "queue-server " QUEUE_SERVER_VERSION << '\n';
    return exit_done;
  }
  queue_server::options set = queue_server::options_from(loaded);
  leave_signals_to_reporter(gmr::settings_from(loaded));
  return set.workers == 1 ? run_server(std::move(set), loaded, nullptr)
                          : run_workers(std::move(set), loaded);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    keep_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    queue_server::survive_stray_signals();
    return run(argc, argv);
  } catch (const gmr::configuration_error& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return error.exit_code();
  } catch (const queue_server::unavailable& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return exit_unavailable;
  } catch (const queue_server::log_error& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return exit_unavailable;
  } catch (const std::exception& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return exit_software;
  }
}
