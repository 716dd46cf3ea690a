// What asks for reports: a signal or a touched file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "trigger/duty.hpp"
#include "trigger/event_loop.hpp"

namespace gmr::triggers {

// Whoever has it sees to it as a duty, on the thread that polls its event loop, and takes what it
// asks for after that.
class trigger : public duty {
 public:
  // How many reports it has asked for since the last call. Safe to call from any thread.
  [[nodiscard]] virtual std::uint64_t take_requests() noexcept = 0;
  // What is wrong with it, or right again, once for each change; empty otherwise. Safe to call from
  // any thread.
  [[nodiscard]] virtual std::string take_message() { return {}; }
  // As reports name it.
  [[nodiscard]] virtual const std::string& cause() const noexcept = 0;
  // It asks for nothing any more. To be called before it is destroyed, from any thread.
  virtual void stop() noexcept = 0;
};

// Throws std::system_error naming the signal when something other than Asio handles it; a
// signal_set of the service's has it, too, whether it comes before or after. A signal that arrived
// before is answered. After the trigger has stopped the signal does nothing where its default
// action would end the process.
[[nodiscard]] std::shared_ptr<trigger> watch_signal(event_loop& loop, int signal);

// From now on the signal does nothing where its default action would end the process. Throws
// std::system_error naming the signal when it can't be caught.
void ignore_signal(int signal);

// Polls the file. See docs for what counts as a touch.
[[nodiscard]] std::shared_ptr<trigger> watch_file(event_loop& loop, std::filesystem::path file,
                                                  std::chrono::milliseconds interval);

}  // namespace gmr::triggers
