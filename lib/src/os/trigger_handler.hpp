// A signal handler of ours that stands where the default action would end the process: before there
// is a reporter to listen to its signal, while there is one, and after it is gone. It is never
// SIG_IGN, which programs that the service executes would inherit.
#pragma once

#include <csignal>
#include <cstdint>

namespace gmr::os {

using signal_handler = void (*)(int);

// Installs the handler where the signal's action is the default one; another is left alone. Calls
// that it interrupts go on (SA_RESTART). SIGUSR2 is caught as soon as the library is initialised.
// False, and errno, when the signal can't be caught. Safe to call from any thread.
bool catch_signal(int signal) noexcept;

// Whether the action is that handler, or the one of another copy of the library in this process.
[[nodiscard]] bool is_trigger_handler(const struct sigaction& action) noexcept;

// Installs the handler whatever the action is, with these flags beside SA_ONSTACK. From now on the
// signal is counted, `also` called, where it is not null, and then the bell rung (os/bell.hpp). Of
// other signals that have the handler `also` is called, too, and nothing else is done. The handler
// touches no descriptor. Safe to call from any thread.
void listen_to_signal(int signal, signal_handler also, int flags = SA_RESTART) noexcept;

// How often the signal that is listened to has come since the last call. Safe to call from any
// thread.
[[nodiscard]] std::uint64_t take_signals() noexcept;

// How often it has come since. Safe to call from any thread.
[[nodiscard]] std::uint64_t waiting_signals() noexcept;

// Returns once no thread is in the handler, or after 20 ms: the thread that took the signal is to
// be shown where it was, and not in the handler. Safe to call from any thread, not from the
// handler.
void let_handlers_return() noexcept;

// Installs the handler whatever the action is, and has it do nothing. Safe to call from any thread.
void silence_signal(int signal) noexcept;

// Nothing is counted any more, nor called. Waits for the threads that are in what was called, for a
// second at most; false where one still is: what it uses must then be left as it is. Safe to call
// from any thread, not from the handler.
[[nodiscard]] bool stop_listening() noexcept;

// The same in a forked child, where what is called also goes on being called. Async-signal-safe.
void stop_counting() noexcept;

// In a forked child: the threads that were in the handler are the parent's. Async-signal-safe.
void forget_other_threads() noexcept;

// Whether the signal arrived while nobody listened yet; says so once. Not after the first
// `stop_listening`: who asked then had a reporter. Safe to call from any thread.
[[nodiscard]] bool take_early_signal(int signal) noexcept;

}  // namespace gmr::os
