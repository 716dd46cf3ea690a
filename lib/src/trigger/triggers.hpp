// What asks for reports: a signal or a touched file.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace gmr::triggers {

using request_report = std::function<void(std::string cause)>;
// Something is wrong with the trigger, or right again; called once for each change.
using say = std::function<void(const std::string& message)>;

// Runs on `executor`; all its callbacks too. Destroying it stops it, from any thread.
class trigger {
 public:
  virtual ~trigger() = default;
  // Waits anew, where one of its handlers threw (there was no memory) before it could. On the
  // executor only.
  virtual void rearm() {}
};

// Asio signal_set on `signal`. Throws std::system_error naming the signal when something other than
// Asio handles it. The destructor puts back what handled the signal before.
[[nodiscard]] std::unique_ptr<trigger> watch_signal(boost::asio::any_io_executor executor,
                                                    int signal, request_report request);

// The signal does nothing, and does not end the process; a handler of somebody else's is left
// alone.
[[nodiscard]] std::unique_ptr<trigger> ignore_signal(int signal);

// Polls the file with a steady_timer. See docs for what counts as a touch.
[[nodiscard]] std::unique_ptr<trigger> watch_file(boost::asio::any_io_executor executor,
                                                  std::filesystem::path file,
                                                  std::chrono::milliseconds interval,
                                                  request_report request, say log);

}  // namespace gmr::triggers
