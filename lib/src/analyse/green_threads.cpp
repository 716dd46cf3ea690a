#include "analyse/green_threads.hpp"

#include <time.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analyse/green_thread_groups.hpp"
#include "analyse/operations.hpp"
#include "analyse/stack_interner.hpp"
#include "analyse/stack_use.hpp"
#include "text/masking.hpp"

namespace gmr::analyse {
namespace {

// The first word of an interned stack: what the others are, and a note's number.
enum stack_form : std::uint64_t { no_frames, machine_frames, logical_frames };
constexpr unsigned form_bits = 2;
constexpr std::uint64_t form_mask = (1U << form_bits) - 1;

constexpr std::size_t words_in_logical_frame = 3;

std::uint64_t monotonic_now() noexcept {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  constexpr std::uint64_t second = 1'000'000'000;
  return static_cast<std::uint64_t>(time.tv_sec) * second +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// What distinguishes two logical stacks although their strings lie at different addresses.
std::string text_key(const stack& resolved) {
  std::string key = resolved.note;
  for (const frame* each : resolved.frames)
    key += '\n' + each->function_full + '\t' + each->file + '\t' + std::to_string(each->line) +
           (each->unloaded ? "\t-" : "");
  return key;
}

}  // namespace

class green_thread_collector::implementation {
 public:
  implementation(unwind::unwinder& unwinder, socket_list& sockets, report_list list,
                 group_order order)
      : unwinder_(unwinder), sockets_(sockets), list_(list), order_(order) {}

  void take(const green_thread_view& view) {
    if (view.frames.empty())
      start_key(no_frames, view.state == green_thread_state::running ? "running" : "no frames");
    else
      start_key(logical_frames, {});
    for (const logical_frame& each : view.frames) {
      key_.push_back(reinterpret_cast<std::uintptr_t>(each.function));
      key_.push_back(reinterpret_cast<std::uintptr_t>(each.file));
      key_.push_back(std::uint64_t{each.unloaded} << 32U | each.line);
    }
    add(view);
  }

  void take(const green_thread_view& view, const capture::stack_snapshot& copy) {
    unwinder_.unwind(copy, raw_);
    start_key(machine_frames, raw_.note);
    key_.push_back(std::uint64_t{raw_.resumed_at} << 2U | (raw_.exact ? 2U : 0U) |
                   (raw_.truncated ? 1U : 0U));
    for (const unwind::raw_frame& each : raw_.frames)
      key_.push_back(each.pc << 1U | (each.is_return ? 1U : 0U));
    add(view);
  }

  void expect(symbolize::symbolizer& symbolizer) const {
    for (std::uint32_t i = 0; i < stacks_.size(); ++i) {
      const auto words = stacks_.at(i).subspan(1);
      if (form_of(i) == machine_frames)
        symbolizer.expect(to_raw(words, {}));
      else if (form_of(i) == logical_frames)
        symbolizer.expect(to_logical(words));
    }
  }

  green_threads_info finish(symbolize::symbolizer& symbolizer,
                            std::chrono::steady_clock::time_point deadline) {
    green_threads_info result;
    std::vector<std::uint32_t> final_numbers;
    std::map<std::string, std::uint32_t> logical;
    for (std::uint32_t i = 0; i < stacks_.size(); ++i) {
      stack resolved;
      if (std::chrono::steady_clock::now() < deadline)
        resolved = resolve(i, symbolizer);
      else
        resolved.note = "not resolved: the time for the report was over";
      auto number = static_cast<std::uint32_t>(result.stacks.size());
      if (form_of(i) == logical_frames)
        number = logical.try_emplace(text_key(resolved), number).first->second;
      if (number == result.stacks.size()) result.stacks.push_back(std::move(resolved));
      final_numbers.push_back(number);
    }
    result.count = count_;
    result.groups = groups_.finish(final_numbers, now_, order_);
    for (green_thread_info& each : listed_)
      each.stack = final_numbers[each.stack];
    result.listed = std::move(listed_);
    return result;
  }

 private:
  void start_key(stack_form form, const std::string& note) {
    const auto known = notes_.try_emplace(note, notes_.size()).first;
    key_.assign(1, std::uint64_t{known->second} << form_bits | form);
  }

  void add(const green_thread_view& view) {
    if (now_ == 0) now_ = monotonic_now();
    const std::uint32_t stack = stacks_.intern(key_);
    ++count_;
    groups_.add(view, stack, now_, sockets_);
    if (list_ == report_list::each) list(view, stack);
  }

  void list(const green_thread_view& view, std::uint32_t stack) {
    green_thread_info& info = listed_.emplace_back();
    info.id = view.id;
    info.kind = view.kind;
    info.state = view.state;
    if (view.suspended_at != 0) info.seconds = seconds_between(view.suspended_at, now_);
    info.stack = stack;
    info.name = texts::mask_urls(view.name);
    for (const auto& [key, text] : view.labels)
      info.labels.emplace_back(texts::mask_urls(key), texts::mask_urls(text));
    for (const waiting_operation& each : view.operations)
      info.operations.push_back(describe(each, view.id, now_, sockets_));
    info.waits_for = wait_of(view.waits_for, info.operations);
    info.thread = view.thread;
    info.parent = view.parent;
    info.long_running = view.long_running;
    info.spawned = spawned_in(view);
    if (const auto bounds = bounds_of(view))
      info.extent = {bounds->low, bounds->high, high_water_bytes(bounds->low, bounds->high)};
  }

  [[nodiscard]] stack_form form_of(std::uint32_t number) const noexcept {
    return static_cast<stack_form>(stacks_.at(number).front() & form_mask);
  }

  [[nodiscard]] const std::string& note_of(std::uint32_t number) const noexcept {
    const std::uint64_t wanted = stacks_.at(number).front() >> form_bits;
    auto at = notes_.begin();
    while (at->second != wanted)
      ++at;
    return at->first;
  }

  stack resolve(std::uint32_t number, symbolize::symbolizer& symbolizer) const {
    const auto words = stacks_.at(number).subspan(1);
    switch (form_of(number)) {
      case machine_frames:
        return symbolizer.resolve(to_raw(words, note_of(number)));
      case logical_frames:
        return symbolizer.resolve(to_logical(words));
      case no_frames:
        break;
    }
    stack empty;
    empty.note = note_of(number);
    return empty;
  }

  static unwind::raw_stack to_raw(std::span<const std::uint64_t> words, const std::string& note) {
    unwind::raw_stack raw;
    raw.truncated = (words[0] & 1U) != 0;
    raw.exact = (words[0] & 2U) != 0;
    raw.resumed_at = words[0] >> 2U;
    raw.note = note;
    for (const std::uint64_t word : words.subspan(1))
      raw.frames.push_back({word >> 1U, (word & 1U) != 0});
    return raw;
  }

  static std::vector<logical_frame> to_logical(std::span<const std::uint64_t> words) {
    std::vector<logical_frame> frames;
    for (; !words.empty(); words = words.subspan(words_in_logical_frame))
      frames.push_back({reinterpret_cast<const char*>(words[0]),
                        reinterpret_cast<const char*>(words[1]),
                        static_cast<std::uint32_t>(words[2]), words[2] >> 32U != 0});
    return frames;
  }

  unwind::unwinder& unwinder_;
  socket_list& sockets_;
  report_list list_;
  group_order order_;
  std::uint64_t now_ = 0;
  std::uint64_t count_ = 0;
  stack_interner stacks_;
  green_thread_groups groups_;
  std::map<std::string, std::size_t> notes_;
  std::vector<green_thread_info> listed_;
  unwind::raw_stack raw_;           // reused
  std::vector<std::uint64_t> key_;  // reused
};

green_thread_collector::green_thread_collector(unwind::unwinder& unwinder, socket_list& sockets,
                                               report_list list, group_order order)
    : implementation_(std::make_unique<implementation>(unwinder, sockets, list, order)) {}

green_thread_collector::~green_thread_collector() = default;
green_thread_collector::green_thread_collector(green_thread_collector&&) noexcept = default;

void green_thread_collector::take(std::span<const capture::captured_green_thread> batch) {
  for (const capture::captured_green_thread& each : batch) {
    if (each.copy != nullptr)
      take(each.view, *each.copy);
    else
      take(each.view);
  }
}

void green_thread_collector::take(const green_thread_view& view) {
  implementation_->take(view);
}

void green_thread_collector::take(const green_thread_view& view,
                                  const capture::stack_snapshot& copy) {
  implementation_->take(view, copy);
}

void green_thread_collector::expect(symbolize::symbolizer& symbolizer) const {
  implementation_->expect(symbolizer);
}

green_threads_info green_thread_collector::finish(symbolize::symbolizer& symbolizer,
                                                  std::chrono::steady_clock::time_point deadline) {
  return implementation_->finish(symbolizer, deadline);
}

}  // namespace gmr::analyse
