// What Asio keeps of signals, for all signal_sets of the process: the only place of the triggers
// that looks into Asio.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio/detail/impl/signal_set_service.ipp>
#include <boost/asio/detail/static_mutex.hpp>
#include <cstddef>
#include <type_traits>

#include "os/file_status.hpp"

namespace gmr::triggers {

// While it lives, Asio takes the signal for one that somebody waits for already: it neither
// installs its own handler when the service makes a signal_set, nor the default action when the
// last one lets go of the signal, which would end the process if it arrived then.
class held_signal final {
 public:
  explicit held_signal(int signal) noexcept : signal_(signal) {
    if (kept_of(signal).exchange(false)) return;  // it goes on with that
    holds_of(signal).fetch_add(1);
    change([this](auto& all) {
      // As Asio does where it installs its handler: a signal_set that asks for flags is not
      // refused.
      if constexpr (requires { all.flags_[0]; })
        if (all.registration_count_[signal_] == 0)
          all.flags_[signal_] = static_cast<std::remove_reference_t<decltype(all.flags_[0])>>(-1);
      ++all.registration_count_[signal_];
    });
  }
  ~held_signal() {
    if (is_kept_ && !kept_of(signal_).exchange(true)) return;
    change([this](state& all) { --all.registration_count_[signal_]; });
    holds_of(signal_).fetch_sub(1);
  }
  held_signal(const held_signal&) = delete;
  held_signal& operator=(const held_signal&) = delete;

  // It stays when the object goes, until the end of the next object for the signal that is not to
  // be kept: a signal_set of the service's that goes later must not leave the default action.
  void keep() noexcept { is_kept_ = true; }

  // Says that the signal_set of ours is registered for the signal, or is so no more.
  static void listen(int signal) noexcept {
    holds_of(signal).fetch_add(1);
    listens_.store(true);
  }
  static void stop_listening(int signal) noexcept {
    listens_.store(false);
    holds_of(signal).fetch_sub(1);
  }
  // In a forked child: what it writes there its parent would read. Async-signal-safe.
  static void forget_ours() noexcept { listens_.store(false); }

  // Whether a signal_set of the service's is registered for the signal. Async-signal-safe.
  [[nodiscard]] static bool service_waits(int signal) noexcept {
    return read_unlocked(found()->registration_count_[signal]) > holds_of(signal).load();
  }

  // Does what Asio's handler does: it writes the number into the pipe, from which all signal_sets
  // are told. Nothing where none is registered, or where the program has closed the pipe and may
  // have the numbers for other files. Async-signal-safe, once there has been an object.
  static void pass_on(int signal) noexcept {
    if (!listens_.load() && !service_waits(signal)) return;
    const int to = read_unlocked(found()->write_descriptor_);
    if (is_pipe(read_unlocked(found()->read_descriptor_), to))
      static_cast<void>(!::write(to, &signal, sizeof signal));
  }

 private:
  using state = boost::asio::detail::signal_state;

  static state* found() noexcept { return boost::asio::detail::get_signal_state(); }

  // Asio changes these with its lock, which a handler of signals can't take: ThreadSanitizer, which
  // knows of no other order, is not to look.
  template <class Number>
  __attribute__((no_sanitize("thread"), noinline)) static Number read_unlocked(
      const Number& number) noexcept {
    return __atomic_load_n(&number, __ATOMIC_RELAXED);
  }

  static std::atomic<std::size_t>& holds_of(int signal) noexcept {
    static constinit std::array<std::atomic<std::size_t>, boost::asio::detail::max_signal_number>
        holds{};
    return holds[static_cast<std::size_t>(signal)];
  }

  static std::atomic<bool>& kept_of(int signal) noexcept {
    static constinit std::array<std::atomic<bool>, boost::asio::detail::max_signal_number> kept{};
    return kept[static_cast<std::size_t>(signal)];
  }

  static bool is_pipe(int reading, int writing) noexcept {
    struct stat from{};
    struct stat to{};
    return os::file_status(reading, from) == 0 && os::file_status(writing, to) == 0 &&
           S_ISFIFO(to.st_mode) && from.st_dev == to.st_dev && from.st_ino == to.st_ino &&
           (::fcntl(reading, F_GETFL) & O_ACCMODE) == O_RDONLY &&
           (::fcntl(writing, F_GETFL) & O_ACCMODE) == O_WRONLY;
  }

  template <class Function>
  static void change(Function function) noexcept {
    const boost::asio::detail::static_mutex::scoped_lock lock{found()->mutex_};
    function(*found());
  }

  static constinit inline std::atomic<bool> listens_{false};

  int signal_;
  bool is_kept_ = false;
};

}  // namespace gmr::triggers
