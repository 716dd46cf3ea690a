// The list of registered schedulers, as the capture stage reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "gmr/trace/scheduler.hpp"
#include "hook/green_thread_list.hpp"

namespace gmr::trace {

// The first of `count` consecutive new ids: for threads that hand out many. Async-signal-safe.
[[nodiscard]] std::uint64_t reserve_green_thread_ids(std::uint64_t count) noexcept;

// A scheduler of our own. It has so many green threads that it lists them in portions.
class portioned_scheduler : public scheduler {
 public:
  // Where a listing goes on; what that means only the scheduler knows. It begins with {}.
  struct place {
    std::uint32_t part = 0;
    std::uint32_t index = 0;
  };
  static constexpr std::size_t usual_portion = 256;

  // Adds some of its green threads, about `usual_portion`, to `out`. Returns where to go on, or
  // nothing when those were the last.
  [[nodiscard]] virtual std::optional<place> list_some(green_thread_list& out, place from) = 0;
  void list(green_thread_visitor& visitor) final;
};

// As `register_scheduler`, for those.
scheduler_registration register_portioned(portioned_scheduler& source);

// The green threads of all schedulers, one scheduler after the other, portion by portion. As long
// as it exists no scheduler can be registered or unregistered. Not synchronised.
class listing final {
 public:
  listing();
  listing(const listing&) = delete;
  listing& operator=(const listing&) = delete;

  // The next scheduler, in order of registration, whose green threads `next` has from now on; null
  // when that was the last.
  [[nodiscard]] const scheduler* next_scheduler();
  // Goes back to the first green thread of this scheduler.
  void begin_again() noexcept;

  // Some green threads more, none at the end. Valid until the next call. Those of a scheduler that
  // is not one of ours come all at once.
  [[nodiscard]] std::span<const green_thread_view> next();
  // What the scheduler threw in the last call of `next`, which ends its list; else empty.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

 private:
  void list_more();

  std::unique_lock<std::mutex> registered_;
  std::size_t following_ = 0;                        // index of the scheduler after this one
  std::optional<portioned_scheduler::place> place_;  // nothing at the end of its list
  green_thread_list portion_;
  std::string failure_;
};

// Calls `use` for each registered scheduler, in order of registration. None of them can be
// unregistered until this returns. Safe to call from any thread; not from within `use`.
void for_each_scheduler(const std::function<void(scheduler&)>& use);

}  // namespace gmr::trace
