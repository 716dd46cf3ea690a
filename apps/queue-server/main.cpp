// queue-server: a small message queue with the HTTP and WebSocket interfaces of OpenStack Zaqar.
//
// The main thread takes the signals that stop the server, and nothing else, so that the server can
// be stopped although every io thread is blocked.
#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <gmr/gmr.hpp>
#include <iostream>

#include "connections.hpp"
#include "options.hpp"
#include "peer.hpp"
#include "sections.hpp"
#include "server.hpp"

namespace {

namespace asio = boost::asio;
namespace po = boost::program_options;

// As sysexits.h has them.
constexpr int exit_done = 0;
constexpr int exit_unavailable = 69;
constexpr int exit_software = 70;

constexpr std::chrono::seconds sweep_interval{10};

// Where one was closed, the next file to be opened would take its place, and get what is meant for
// standard error.
void keep_standard_descriptors() {
  for (const int standard : {0, 1, 2}) {
    if (::fcntl(standard, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDWR));
  }
}

void sweep_now_and_then(asio::steady_timer& timer, queue_server::server& running) {
  timer.expires_after(sweep_interval);
  timer.async_wait([&timer, &running](boost::system::error_code cancelled) {
    if (cancelled) return;
    running.sweep();
    sweep_now_and_then(timer, running);
  });
}

// Returns once SIGTERM or SIGINT came. From then on a second one ends the process at once.
void serve_until_told(asio::io_context& main_loop, asio::signal_set& signals,
                      queue_server::server& running) {
  asio::steady_timer timer(main_loop);
  sweep_now_and_then(timer, running);
  signals.async_wait([&timer](boost::system::error_code, int) { timer.cancel(); });
  main_loop.run();
  signals.clear();
}

int serve(const queue_server::options& set, queue_server::connections& clients) {
  asio::io_context main_loop(1);
  asio::signal_set signals(main_loop, SIGTERM, SIGINT);
  queue_server::server running(set, clients);
  running.start();
  std::cout << "http listening on " << queue_server::name_of(running.http_endpoint()) << '\n'
            << "websocket listening on " << queue_server::name_of(running.websocket_endpoint())
            << std::endl;
  serve_until_told(main_loop, signals, running);
  if (running.stop(set.shutdown_limit)) return exit_done;
  std::cerr << "queue-server: an io thread does not come back; leaving without it" << std::endl;
  std::_Exit(exit_software);
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
  const queue_server::options set = queue_server::options_from(loaded);
  queue_server::connections clients(set.most_connections);
  gmr::reporter reporter({.name = "queue-server",
                          .version = QUEUE_SERVER_VERSION,
                          .vendor = "gmr",
                          .revision = QUEUE_SERVER_REVISION},
                         loaded);
  reporter.add_configuration(described, loaded);
  reporter.add_section("Queues", queue_server::queues_section(set.storage_path));
  reporter.add_section("Connections", queue_server::connections_section(clients));
  return serve(set, clients);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    keep_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    return run(argc, argv);
  } catch (const gmr::configuration_error& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return error.exit_code();
  } catch (const queue_server::unavailable& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return exit_unavailable;
  } catch (const std::exception& error) {
    std::cerr << "queue-server: " << error.what() << std::endl;
    return exit_software;
  }
}
