// Reports of one process, one after the other.
#pragma once

#include <vector>

#include "reports/report.hpp"

namespace gmr_command::reports {

class series final {
 public:
  // Puts them in order of time. Throws `failure` with exit_bad_data where they are of more than one
  // process, or there is none.
  explicit series(std::vector<report> all);

  [[nodiscard]] const std::vector<report>& all() const noexcept { return all_; }
  [[nodiscard]] const report& first() const noexcept { return all_.front(); }
  [[nodiscard]] const report& last() const noexcept { return all_.back(); }
  [[nodiscard]] bool compares() const noexcept { return all_.size() > 1; }
  // From the first to the last.
  [[nodiscard]] double seconds() const noexcept;

  // The thread in the last and in the first report; null where it is not in that.
  [[nodiscard]] const thread* now(std::int64_t id) const noexcept;
  [[nodiscard]] const thread* before(std::int64_t id) const noexcept;

  // Processor time between the first and the last report; 0 where it isn't known.
  [[nodiscard]] double cpu_between(const thread& last) const noexcept;
  // Of all threads but those of the reporter.
  [[nodiscard]] double cpu_between() const noexcept;

  // Whether the thread was in the same place and waited for the same in all reports, and has used
  // next to no processor time between them. Of one report alone: whether it waits, and its event
  // loop is late for that.
  [[nodiscard]] bool stood_still(const thread& last) const;
  // How long it has at least, where it has.
  [[nodiscard]] double still_for(const thread& last) const;

 private:
  std::vector<report> all_;
};

// The event loop whose handlers the thread runs, or ran last; null where none is known.
[[nodiscard]] const event_loop* loop_run_by(const report& in, std::int64_t thread) noexcept;
[[nodiscard]] const thread* find(const report& in, std::int64_t id) noexcept;
[[nodiscard]] const green_thread_group* group_of(const report& in, std::uint64_t id) noexcept;
// Whether they are of the same stack, kind, state and wait.
[[nodiscard]] bool same_group(const green_thread_group& one, const green_thread_group& other);
// How many green threads of the report are in such a group.
[[nodiscard]] const green_thread_group* same_group_in(const report& in,
                                                      const green_thread_group& as);

}  // namespace gmr_command::reports
