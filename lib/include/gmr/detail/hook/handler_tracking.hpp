// Asio's custom handler tracking for gmr::trace_ops, which defines
// BOOST_ASIO_CUSTOM_HANDLER_TRACKING as this header: included by Asio itself, before anything of it
// is declared. All units of a program must agree, as this changes the layout of Asio's operations;
// see asio_units.hpp.
#pragma once

#include "gmr/detail/language.hpp"

#include <boost/system/error_code.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "gmr/detail/hook/asio_units.hpp"
#include "gmr/detail/hook/boost_support.hpp"
#include "gmr/detail/hook/operation_record.hpp"

static_assert(GMR_TRACES_OPERATIONS,
              "gmr can't trace the operations of this Boost: " GMR_OPERATIONS_PROBLEM
              ". Use a Boost that gmr is tested with (" GMR_TESTED_BOOST
              "), or link gmr::trace instead of gmr::trace_ops");

namespace gmr::trace {

class handler_completion;

// Base of Asio's operations.
class tracked_operation {
 public:
  tracked_operation(const tracked_operation&) = delete;
  tracked_operation& operator=(const tracked_operation&) = delete;

 protected:
  tracked_operation() noexcept = default;
  ~tracked_operation() {
    if (record_ != nullptr) [[unlikely]]
      release_operation_record(*record_);  // it was never started
  }

 private:
  friend class handler_completion;
  friend struct operation_tracking;

  mutable operation_record* record_ = nullptr;
};

constexpr operation_cause cause_of(std::string_view object) noexcept {
  if (object == "socket" || object == "descriptor") return operation_cause::descriptor;
  if (object == "deadline_timer") return operation_cause::timer;
  const bool waits = object == "resolver" || object == "signal_set" || object == "channel";
  return waits ? operation_cause::other : operation_cause::turn;
}

// Whether the type of an operation has a handler of asio::spawn in it, or one that hides its type.
template <typename Operation>
consteval bool may_resume_fiber() noexcept {
  const std::string_view name{__PRETTY_FUNCTION__};
  return name.find("spawn") != name.npos || name.find("executor_function") != name.npos;
}

inline std::uint64_t to_nanoseconds(std::chrono::nanoseconds time) noexcept {
  return time.count() < 0 ? 1 : static_cast<std::uint64_t>(time.count());
}

// On CLOCK_MONOTONIC, which is libstdc++'s steady_clock; 0 for never, and for the times of
// Boost.DateTime.
template <typename Object>
std::uint64_t expiry_of(const Object& timer) noexcept {
  if constexpr (requires { timer.expiry.time_since_epoch(); }) {
    using time_point = std::remove_cvref_t<decltype(timer.expiry)>;
    using clock = typename time_point::clock;
    if (timer.expiry == time_point::max()) return 0;
    if constexpr (std::is_same_v<clock, std::chrono::steady_clock>)
      return to_nanoseconds(timer.expiry.time_since_epoch());
    else
      return to_nanoseconds(std::chrono::steady_clock::now().time_since_epoch() +
                            (timer.expiry - clock::now()));
  }
  return 0;
}

// Asio's hooks. Called on any thread, never twice at a time for one operation. Those that compare
// the names they are given are always inlined: the compiler then does it.
struct operation_tracking {
  template <typename Context, typename Operation, typename Object>
  [[gnu::always_inline]] static void creation(const Context& context, Operation& created,
                                              const char* object_type, Object* object,
                                              std::uintmax_t descriptor,
                                              const char* name) noexcept {
    operation_record* const record = take_operation_record();
    if (record == nullptr) [[unlikely]]
      return;
    static_cast<tracked_operation&>(created).record_ = record;
    const operation_cause cause = cause_of(object_type);
    std::uint64_t when = 0;
    if (cause == operation_cause::timer)
      when = expiry_of(*object);
    else if (cause == operation_cause::turn)
      when = operation_time::complete_at(coroutine_now());
    else
      when = operation_time::begun_at(coroutine_now());
    const bool has_descriptor = cause == operation_cause::descriptor;
    start(*record, present_owner(may_resume_fiber<Operation>()), &context, cause, when,
          has_descriptor ? static_cast<std::int64_t>(descriptor) : -1, object_type, name);
  }

  // Closes a descriptor, or cancels what waits for it: comes before that is done.
  template <typename Context>
  [[gnu::always_inline]] static void operation(const Context&, const char* object_type, const void*,
                                               std::uintmax_t descriptor, const char*) noexcept {
    if (cause_of(object_type) == operation_cause::descriptor && descriptor < counted_descriptors)
      descriptor_uses[descriptor].fetch_add(1, std::memory_order_release);
  }

  // Tried, perhaps in vain. Of a connect, and of an accept that found a broken connection, the
  // error does not tell: the reporter asks the kernel.
  [[gnu::always_inline]] static void reactor_operation(const tracked_operation& operation,
                                                       std::string_view name,
                                                       const boost::system::error_code& error,
                                                       std::size_t = 0) noexcept {
    if (error.value() == EAGAIN) return;  // which is EWOULDBLOCK
    if (name == "non_blocking_connect" || (name == "non_blocking_accept" && error)) return;
    if (operation.record_ != nullptr)
      operation.record_->when.store(operation_time::complete_at(coroutine_now()),
                                    std::memory_order_release);
  }

 private:
  static void start(operation_record& record, const operation_owner& owner, const void* context,
                    operation_cause cause, std::uint64_t when, std::int64_t descriptor,
                    const char* object_type, const char* name) noexcept {
    constexpr auto release = std::memory_order_release;
    record.owner.store(owner.record, release);
    record.owner_state.store(owner.state, release);
    record.context.store(context, release);
    record.when.store(when, release);
    record.object.store(object_type, release);
    record.name.store(name, release);
    record.cause.store(cause, release);
    record.descriptor.store(static_cast<std::int32_t>(descriptor), release);
    if (const auto index = static_cast<std::size_t>(descriptor); index < counted_descriptors)
      record.uses.store(descriptor_uses[index].load(std::memory_order_relaxed), release);
    record.sequence.store(record.sequence.load(std::memory_order_relaxed) + 1, release);
  }
};

// Lives while an operation is taken apart and its handler runs.
class [[gnu::visibility("hidden")]] handler_completion final {
 public:
  explicit handler_completion(const tracked_operation& operation) noexcept {
    operation_record* const record = operation.record_;
    if (record == nullptr) return;
    operation.record_ = nullptr;
    owner_ = {record->owner.load(std::memory_order_relaxed),
              record->owner_state.load(std::memory_order_relaxed)};
    context_ = record->context.load(std::memory_order_relaxed);
    release_operation_record(*record);
  }
  handler_completion(const handler_completion&) = delete;
  handler_completion& operator=(const handler_completion&) = delete;

  template <typename... Arguments>
  void invocation_begin(const Arguments&...) noexcept {
    scope_.begin(owner_, context_);
  }

 private:
  operation_owner owner_;
  const void* context_ = nullptr;
  handler_scope scope_;
};

}  // namespace gmr::trace

#define BOOST_ASIO_INHERIT_TRACKED_HANDLER : public ::gmr::trace::tracked_operation
#define BOOST_ASIO_ALSO_INHERIT_TRACKED_HANDLER , public ::gmr::trace::tracked_operation

#define BOOST_ASIO_HANDLER_TRACKING_INIT (void)0
#define BOOST_ASIO_HANDLER_LOCATION(args) (void)0
#define BOOST_ASIO_HANDLER_CREATION(args) ::gmr::trace::operation_tracking::creation args
#define BOOST_ASIO_HANDLER_COMPLETION(args) ::gmr::trace::handler_completion gmr_completion args
#define BOOST_ASIO_HANDLER_INVOCATION_BEGIN(args) gmr_completion.invocation_begin args
#define BOOST_ASIO_HANDLER_INVOCATION_END (void)0
#define BOOST_ASIO_HANDLER_OPERATION(args) ::gmr::trace::operation_tracking::operation args
#define BOOST_ASIO_HANDLER_REACTOR_REGISTRATION(args) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_DEREGISTRATION(args) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_READ_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_WRITE_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_ERROR_EVENT 0
#define BOOST_ASIO_HANDLER_REACTOR_EVENTS(args) (void)0
#define BOOST_ASIO_HANDLER_REACTOR_OPERATION(args) \
  ::gmr::trace::operation_tracking::reactor_operation args
