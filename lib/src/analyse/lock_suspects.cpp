#include "analyse/lock_suspects.hpp"

#include <algorithm>
#include <cstring>

#include "analyse/finding_text.hpp"
#include "hook/coroutine/coroutine_variables.hpp"

namespace gmr::analyse {
namespace {

// Looking into a coroutine's variables costs about a microsecond.
constexpr std::uint64_t most_looked_into = 20'000;

bool holds_word(std::span<const std::byte> bytes, std::uintptr_t from, std::uintptr_t wanted) {
  constexpr std::size_t word = sizeof(std::uintptr_t);
  for (std::size_t at = (word - from % word) % word; at + word <= bytes.size(); at += word) {
    std::uintptr_t value = 0;
    std::memcpy(&value, bytes.data() + at, word);
    if (value == wanted) return true;
  }
  return false;
}

bool holds_word(const capture::stack_snapshot& copy, std::uintptr_t wanted) {
  const auto& values = copy.registers.values;
  return std::find(values.begin(), values.end(), wanted) != values.end() ||
         std::any_of(copy.parts.begin(), copy.parts.end(), [&](const capture::stack_copy& part) {
           return holds_word(part.bytes, part.address, wanted);
         });
}

}  // namespace

lock_suspect_finder::lock_suspect_finder(std::span<const thread_info> threads,
                                         unwind::unwinder& unwinder)
    : unwinder_(unwinder) {
  for (const thread_info& thread : threads) {
    const auto& wait = thread.waits_for;
    if (!wait || !wait->owner || !wait->address || wait->kind == wait_kind::join) continue;
    lock_suspects& lock = locks_[{*wait->owner, *wait->address}].found;
    lock.owner = *wait->owner;
    lock.address = *wait->address;
  }
}

template <class Refers, class Remember>
void lock_suspect_finder::weigh(const green_thread_view& view, Refers refers, Remember remember) {
  for (auto at = locks_.lower_bound({view.last_thread, 0});
       at != locks_.end() && at->first.first == view.last_thread; ++at) {
    evidence& lock = at->second;
    ++lock.found.count;
    if (lock.found.ids.size() < lock_suspects::most_listed) lock.found.ids.push_back(view.id);
    if (!refers(lock.found.address)) continue;
    if (lock.found.referring.empty()) remember(lock);
    if (lock.found.referring.size() < lock_suspects::most_listed)
      lock.found.referring.push_back(view.id);
  }
}

void lock_suspect_finder::take(std::span<const capture::captured_green_thread> batch) {
  if (locks_.empty()) return;
  for (const capture::captured_green_thread& each : batch) {
    if (each.view.last_thread == 0) continue;
    if (each.copy != nullptr)
      take(each.view, *each.copy);
    else
      take(each.view);
  }
}

void lock_suspect_finder::take(const green_thread_view& view) {
  const auto first = locks_.lower_bound({view.last_thread, 0});
  if (first == locks_.end() || first->first.first != view.last_thread) return;
  words_.clear();
  if (view.innermost != nullptr && looked_into_++ < most_looked_into)
    trace::copy_coroutine_variables(view.innermost, view.id, words_);
  weigh(
      view,
      [&](std::uintptr_t lock) {
        return std::find(words_.begin(), words_.end(), lock) != words_.end();
      },
      [&](evidence& lock) { lock.logical.assign(view.frames.begin(), view.frames.end()); });
}

void lock_suspect_finder::take(const green_thread_view& view, const capture::stack_snapshot& copy) {
  weigh(
      view, [&](std::uintptr_t lock) { return holds_word(copy, lock); },
      [&](evidence& lock) { unwinder_.unwind(copy, lock.machine); });
}

std::vector<lock_suspects> lock_suspect_finder::finish(symbolize::symbolizer& symbolizer) {
  std::vector<lock_suspects> result;
  for (auto& [key, lock] : locks_) {
    if (lock.found.count == 0) continue;
    if (!lock.logical.empty())
      lock.found.place = place_of(symbolizer.resolve(lock.logical));
    else if (!lock.machine.frames.empty())
      lock.found.place = place_of(symbolizer.resolve(lock.machine));
    result.push_back(std::move(lock.found));
  }
  return result;
}

}  // namespace gmr::analyse
