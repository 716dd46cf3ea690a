#include "debug.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

namespace queue_server::debug {

namespace {

std::mutex contended;

void hold_mutex(std::chrono::milliseconds time) {
  if (contended.try_lock()) {
    const std::lock_guard lock(contended, std::adopt_lock);
    std::this_thread::sleep_for(time);
  } else {
    const std::lock_guard wait(contended);
  }
}

void spin(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

}  // namespace

std::optional<block_kind> block_kind_from(std::string_view name) {
  if (name == "mutex") return block_kind::mutex;
  if (name == "sleep") return block_kind::sleep;
  if (name == "spin") return block_kind::spin;
  return std::nullopt;
}

void block(block_kind kind, std::chrono::milliseconds time) {
  time = std::min<std::chrono::milliseconds>(time, longest_block);
  switch (kind) {
    case block_kind::mutex:
      return hold_mutex(time);
    case block_kind::sleep:
      return std::this_thread::sleep_for(time);
    case block_kind::spin:
      return spin(time);
  }
}

}  // namespace queue_server::debug
