// What asks for reports: a signal or a touched file.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "trigger/own_thread.hpp"

namespace gmr::triggers {

using request_report = std::function<void(std::string cause)>;
// Something is wrong with the trigger, or right again; called once for each change.
using say = std::function<void(const std::string& message)>;

// Runs on the thread that it was given; all its callbacks too. Destroying it stops it, from any
// thread.
class trigger {
 public:
  virtual ~trigger() = default;
};

// Throws std::system_error naming the signal when something other than Asio handles it; a
// signal_set of the service's has it, too, whether it comes before or after. A signal that arrived
// before is answered. After the trigger is destroyed the signal does nothing where its default
// action would end the process.
[[nodiscard]] std::unique_ptr<trigger> watch_signal(own_thread& thread, int signal,
                                                    request_report request);

// From now on the signal does nothing where its default action would end the process. Throws
// std::system_error naming the signal when it can't be caught.
void ignore_signal(int signal);

// Polls the file. See docs for what counts as a touch.
[[nodiscard]] std::unique_ptr<trigger> watch_file(own_thread& thread, std::filesystem::path file,
                                                  std::chrono::milliseconds interval,
                                                  request_report request, say log);

}  // namespace gmr::triggers
