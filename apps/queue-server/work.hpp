// A request's way through the storage, for both protocols.
#pragma once

#include <memory>
#include <utility>

#include "notifications/notifier.hpp"
#include "storage/storage.hpp"
#include "verbs/operation.hpp"

namespace queue_server {

[[nodiscard]] inline bool needs_storage(const operation& work) noexcept {
  return work.needs() == access::read || work.needs() == access::write;
}

// `work` lives until its run has ended.
[[nodiscard]] inline storage_work work_for_storage(const std::shared_ptr<operation>& work) {
  const auto use = work->needs() == access::write ? engine_use::write : engine_use::read;
  return {use, work->project(), [work](engine& data) { return work->run(data); }, work->grows()};
}

// The answer, when its storage thread is done; subscribers are told of what was done.
[[nodiscard]] inline reply finish(operation& work, const storage_outcome& done, notifier& told) {
  reply answer = work.answer(done.problem);
  if (!done.problem && work.outcome()) told.announce(std::move(*work.outcome()));
  return answer;
}

// For what needs no storage thread.
[[nodiscard]] inline reply answer_at_once(operation& work, const storage& data) {
  if (work.needs() != access::health) return work.take_ready();
  const auto fault = data.health().now();
  return work.answer(fault ? std::make_exception_ptr(storage_error(fault->what)) : nullptr);
}

}  // namespace queue_server
