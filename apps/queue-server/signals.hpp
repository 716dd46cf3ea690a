// The signals that end a process by default and that operators, terminals and limits send: none
// ends this server by accident.
#pragma once

namespace queue_server {

// For the whole process, and those that it forks.
void survive_stray_signals();

// The reporter, which is made next, handles that one.
void leave_to_reporter(int signal);

// SIGHUP has come since the last call.
[[nodiscard]] bool hangup_came() noexcept;

}  // namespace queue_server
