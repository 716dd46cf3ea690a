#include "capture/signal_round.hpp"

#include <algorithm>
#include <thread>

namespace gmr::capture {

signal_round::~signal_round() {
  for (const auto& [thread, slot] : unheard_)
    pool_.release(slot);
}

void signal_round::begin() {
  asked_.clear();
  queue_was_full_ = false;
  std::erase_if(stuck_, [this](std::uint32_t slot) {
    if (pool_.phase(slot) == slot_writing) return false;
    pool_.release(slot);
    return true;
  });
  std::erase_if(unheard_, [this](const auto& entry) {
    if (pool_.phase(entry.second) == slot_revoked && thread_exists(entry.first)) return false;
    pool_.release(entry.second);
    return true;
  });
}

send_result signal_round::ask(pid_t thread, int signal, bool is_pending, std::uint32_t& slot) {
  if (const auto unheard = take_unheard(thread, is_pending)) {
    pool_.release(slot);
    slot = *unheard;
    pool_.rearm(slot);
    asked_.push_back({thread, slot});
    return send_result::sent;
  }
  const std::uint64_t payload = pool_.arm(slot, thread);
  const auto send = [&] {
    sent_ = send_capture_signal(thread, signal, payload);
    return sent_.result;
  };
  send_result result = send();
  const int tries = queue_was_full_ ? 0 : 20;  // it is one queue for all threads
  for (int i = 0; i < tries && result == send_result::queue_full; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});  // those on their way will arrive
    result = send();
  }
  queue_was_full_ = result == send_result::queue_full;
  if (result == send_result::sent)
    asked_.push_back({thread, slot});
  else
    pool_.disarm(slot);
  return result;
}

std::optional<std::uint32_t> signal_round::take_unheard(pid_t thread, bool is_pending) {
  const auto found = unheard_.find(thread);
  if (found == unheard_.end()) return std::nullopt;
  const std::uint32_t slot = found->second;
  unheard_.erase(found);
  if (is_pending && pool_.phase(slot) == slot_revoked) return slot;
  pool_.release(slot);  // it has arrived, or the thread is another one by now
  return std::nullopt;
}

void signal_round::wait(std::chrono::steady_clock::time_point deadline) {
  constexpr std::chrono::microseconds first{20};
  constexpr std::chrono::microseconds longest{1000};
  auto pause = first;
  while (!all_answered(pause == longest) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, longest);
  }
  for (question& each : asked_)
    if (each.got == answer::awaited) give_up(each);
}

bool signal_round::all_answered(bool look_for_exited) {
  bool all = true;
  for (question& each : asked_) {
    if (each.got != answer::awaited) continue;
    if (pool_.phase(each.slot) == slot_done)
      each.got = answer::given;
    else if (look_for_exited && !thread_exists(each.thread) && pool_.revoke(each.slot))
      each.got = answer::exited;
    else
      all = false;
  }
  return all;
}

void signal_round::give_up(question& open) {
  open.got = answer::none;
  if (pool_.revoke(open.slot)) {
    unheard_.emplace(open.thread, open.slot);
    return;
  }
  constexpr int tries = 10;
  for (int i = 0; i < tries && pool_.phase(open.slot) == slot_writing; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  if (pool_.phase(open.slot) == slot_done)
    open.got = answer::given;
  else
    stuck_.push_back(open.slot);
}

}  // namespace gmr::capture
