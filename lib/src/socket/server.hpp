// Answers who asks for reports and metrics by HTTP on a Unix socket, on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmr/model/report.hpp"
#include "socket/connection.hpp"
#include "socket/listener.hpp"
#include "socket/orders.hpp"
#include "socket/report_source.hpp"

struct pollfd;

namespace gmr::sockets {

// The thread, "gmr-socket", waits for descriptors; nothing of the service can hold it, so that it
// answers while all threads of the service are blocked. A socket that can't be had, or that the
// program has closed, is tried for again every few seconds; why not is said once.
class server final {
 public:
  static constexpr std::size_t most_clients = 32;  // at a time; the next ones are sent away
  static constexpr std::size_t most_waiting = 16;  // of them for reports
  static constexpr std::size_t most_leaving = 16;  // more that have their answer

  struct settings {
    std::string address;               // as resolve_address has it
    package software;                  // for the metrics
    report_order usual;                // what a request does not say
    std::chrono::seconds longest{30};  // that a client waits for its report
  };

  // `source` must outlive the server.
  server(settings set, report_source& source);
  ~server();  // clients that still wait are cut off
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // The thread takes `capture_signal` (-1: none), and no other that is sent.
  void start(int capture_signal);

 private:
  using clock = connection::clock;
  using made_report = std::shared_ptr<const report>;

  struct client {
    connection line;
    std::future<made_report> coming;  // while it waits
    report_order wanted;
  };

  void run() noexcept;
  void keep_listening(clock::time_point now);
  void serve_once();
  [[nodiscard]] int timeout(clock::time_point now) const;
  void wait(std::vector<pollfd>& events, clock::time_point now);
  void accept_all();
  void note_refusal(int error);
  void admit(owned_socket accepted);
  void attend(client& each, short events);
  void take_order(client& each);
  void ask_for_report(client& each);
  void give_report(client& each);
  [[nodiscard]] std::shared_ptr<const std::string> rendered(const made_report& made,
                                                            const report_order& wanted);

  const settings set_;
  report_source& source_;
  std::mutex listener_mutex_;  // held to open and close it, and to shut it down
  listener listener_;
  std::string last_problem_;
  int last_refusal_ = 0;  // why a client could not be taken; an errno that has been said
  clock::time_point next_try_{};
  std::list<client> clients_;

  // What was drawn last, while a client still reads it.
  std::weak_ptr<const report> drawn_report_;
  report_format drawn_format_ = report_format::text;
  outlines::part_set drawn_parts_;
  std::weak_ptr<const std::string> drawn_;

  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace gmr::sockets
