// Each rule looks for one kind of trouble and adds the suspects that it finds. They are called in
// this order, and see what those before them have found, so that what is explained is not told
// twice.
#pragma once

#include <vector>

#include "explain/explanation.hpp"
#include "reports/series.hpp"

namespace gmr_command::explanations {

using suspects = std::vector<suspect>;

// What the service itself concluded, in its last report.
void find_findings(const reports::series& compared, suspects& found);
// Threads that wait for a lock, and the thread at the end of the chain of holders.
void find_held_locks(const reports::series& compared, suspects& found);
// Handlers that block the threads of event loops and pools.
void find_blocked_loops(const reports::series& compared, suspects& found);
// The same, also of threads that may be workers of a pool which wait for work.
void find_waiting_pools(const reports::series& compared, suspects& found);
// Threads that burn processor time without getting anywhere; control groups that have none left.
void find_processor_trouble(const reports::series& compared, suspects& found);
// Event loops that go on, but are late in every report: they have more to do than their threads
// can.
void find_overloaded_loops(const reports::series& compared, suspects& found);
// What grows and does not shrink: descriptors, green threads.
void find_growth(const reports::series& compared, suspects& found);
// Connections on which the other side does not do its part.
void find_slow_peers(const reports::series& compared, suspects& found);
// Where nothing goes on at all and nothing else explains it: all that waits to be told.
void find_lost_wakeups(const reports::series& compared, suspects& found);

// What the reports say that they don't show, and whether a suspect may be there.
void find_not_seen(const reports::series& compared, explanation& to);
// What is stuck, has moved, grows, and uses processors; sets those of the explanation.
void compare(const reports::series& compared, explanation& to);

// Used by several rules.
[[nodiscard]] suspect suspect_of(suspect_kind kind, const reports::thread& of);
[[nodiscard]] bool explains(const suspects& found, std::int64_t thread);
// Whether nothing went on between the reports but timers: no processor time was used to speak of,
// and no green thread has begun to wait for anything else.
[[nodiscard]] bool is_quiet(const reports::series& compared);
// Whether all or some of the group have waited since the first report.
[[nodiscard]] bool has_waited(const reports::series& compared,
                              const reports::green_thread_group& group);
// One of the group that has waited since the first report, as far as the reports tell: a green
// thread that is in the same group there, the first of those.
[[nodiscard]] std::optional<std::uint64_t> waiting_since(const reports::series& compared,
                                                         const reports::green_thread_group& group);

}  // namespace gmr_command::explanations
