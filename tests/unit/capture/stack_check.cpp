#include "stack_check.hpp"

#include <execinfo.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "backend.hpp"
#include "unwind/return_address.hpp"

namespace gmr::capture::testing {
namespace {

constexpr int hazards = 10;
constexpr int captures_by_default = 4000;

bool is(const frame& at, std::string_view function) {
  return at.function_full.find(function) != std::string::npos;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// What the sanitizers put into every function: calls of their runtime, through stubs of the linker.
bool is_of_sanitizer(const frame& at) {
  return sanitized && (at.module.find("san.so") != std::string::npos ||
                       at.function.starts_with("__tsan") || at.function.starts_with("__asan"));
}

// The walking backend has no names for stubs of the linker; whoever is in one is in its first
// instructions.
bool is_stub(const frame& at, const std::vector<const frame*>& real) {
  return threads_walk && at.function.empty() && &at == real.front();
}

// Not for libraries that come and go: what they had in memory has gone with them.
bool is_checkable(const frame& at) {
  if (!at.address || is(at, "gmr_capture_restorer")) return false;
  if (at.module.empty()) return *at.address < 65536;
  return at.module.find("gmr_hazard") == std::string::npos && !at.module.starts_with('[');
}

// What runs and what a signal interrupted was not called.
std::string impossible_return(const stack& resolved) {
  std::vector<std::optional<std::uint64_t>> not_called{resolved.frames.front()->address};
  const frame* callee = nullptr;
  for (const frame* each : resolved.frames) {
    if (callee != nullptr && is(*callee, "gmr_capture_restorer"))
      not_called.push_back(each->address);
    callee = each;
    if (std::ranges::find(not_called, each->address) == not_called.end() && is_checkable(*each) &&
        !unwind::follows_call(*each->address))
      return "returns to where no call is";
  }
  return {};
}

// Code of a sanitizer, and code with frame pointers, which the walking backend is built with,
// reaches its callers by registers, which an exception that is about to leave a frame has exchanged
// already: docs/threads.md, known limits.
bool is_half_left(const stack& resolved) {
  if (!sanitized && !threads_walk) return false;
  const auto& frames = resolved.frames;
  return std::any_of(frames.begin(),
                     frames.begin() + std::min<std::ptrdiff_t>(2, std::ssize(frames)),
                     [](const frame* each) { return each->function.starts_with("_Unwind_"); });
}

// Without addresses, so that equal ones can be counted.
std::string reason_of(const unwind::raw_stack& raw) {
  const std::size_t address = raw.note.find(" 0x");
  const std::size_t module = raw.note.find(" in ", address);
  std::string reason = raw.note.substr(0, address);
  if (module != std::string::npos) reason += raw.note.substr(module);
  return raw.exact ? reason : reason + " (guessed)";
}

// The outermost program counter of a thread, as libgcc's unwinder has it: where the debug
// information of the C library is not installed the function there has no name.
std::uintptr_t where_threads_begin() {
  static const std::uintptr_t place = [] {
    std::array<void*, 64> calls{};
    int count = 0;
    std::thread{[&] { count = backtrace(calls.data(), static_cast<int>(calls.size())); }}.join();
    return count > 0
               ? reinterpret_cast<std::uintptr_t>(calls.at(static_cast<std::size_t>(count) - 1))
               : 0;
  }();
  return place;
}

bool is_beginning(const frame& at) {
  return is(at, "clone") || is(at, "gmr_fiber_entry") || is(at, "_start") ||
         (at.function.empty() && at.address == where_threads_begin());
}

std::string text_of(const stack& resolved) {
  std::string text;
  for (const frame* each : resolved.frames) {
    char address[32];
    std::snprintf(address, sizeof address, "%lx", each->address.value_or(0));
    text += std::string{"\n  "} + address + ' ' + each->function + " in " + each->module;
  }
  return text;
}

}  // namespace

int captures_of_a_hazard() {
  const char* const text = std::getenv("GMR_HAZARD_CAPTURES");
  const int all = text != nullptr ? std::atoi(text) : 0;
  return (all > 0 ? all : captures_by_default) / hazards;
}

stack_checker::stack_checker(thread_capture_settings settings) {
  settings.busy_window = std::chrono::milliseconds{0};
  settings.deadline = std::chrono::seconds{5};  // whatever else the machine does
  capturer_ = std::make_unique<thread_capturer>(settings);
}

stack_checker::~stack_checker() = default;

const std::vector<thread_snapshot>& stack_checker::capture() {
  const os::shared_modules read = modules_.read();
  unwinder_.use(read);
  stacks_ = {};
  threads_ = &capturer_->capture_first();
  do {
    stacks_.unwind_new(*threads_, unwinder_);
  } while (capturer_->capture_next(stacks_.exact()));
  const os::shared_modules confirmed = modules_.confirm();
  unwinder_.use(confirmed);
  symbolizer_.use(confirmed);
  if (confirmed != read) stacks_.unwind_all(*threads_, unwinder_);
  return *threads_;
}

void stack_checker::judge(pid_t thread) {
  const auto found = std::find_if(threads_->begin(), threads_->end(),
                                  [&](const thread_snapshot& each) { return each.id == thread; });
  if (found == threads_->end()) {
    ++result_.absent;
    ++result_.reasons["not listed"];
    return;
  }
  if (found->stack.registers.pc() == 0) {
    ++result_.absent;
    ++result_.reasons[std::string{to_string(found->outcome)} + ' ' + found->note];
    return;
  }
  const unwind::raw_stack& raw = stacks_.at(static_cast<std::size_t>(found - threads_->begin()));
  const stack resolved = symbolizer_.resolve(raw);
  for (const frame* each : resolved.frames)
    if (each->address != resolved.frames.front()->address && each->function == "gmr_hazard_call")
      plugin_calls_[each->module].insert(each->offset.value_or(0));
  const bool is_cut = raw.truncated || !raw.exact;
  std::string what = impossible_return(resolved);
  if (what.empty() && !is_cut) what = fault(resolved, raw);
  if (!what.empty() && is_half_left(resolved)) {
    ++result_.cut;
    ++result_.reasons["an exception is about to leave a frame"];
  } else if (!what.empty()) {
    if (result_.wrong++ == 0) result_.first_wrong = what + " " + raw.note + text_of(resolved);
  } else if (is_cut) {
    ++result_.cut;
    const std::string reason = reason_of(raw);
    if (++result_.reasons[reason] == 1) result_.examples[reason] = text_of(resolved);
  } else {
    ++result_.right;
  }
}

std::string stack_checker::find_impossible(pid_t thread) {
  for (std::size_t i = 0; i < threads_->size(); ++i) {
    const thread_snapshot& each = (*threads_)[i];
    if (each.id != thread || each.stack.registers.pc() == 0) continue;
    const stack resolved = symbolizer_.resolve(stacks_.at(i));
    const std::string what = impossible_return(resolved);
    if (!what.empty()) return what + text_of(resolved);
  }
  return {};
}

std::string stack_checker::fault(const stack& resolved, const unwind::raw_stack& raw) {
  std::vector<const frame*> real;  // one for each program counter
  for (const frame* each : resolved.frames)
    if (!each->inlined) real.push_back(each);
  if (real.size() != raw.frames.size()) return "frames got lost";
  const auto root = std::find_if(real.begin(), real.end(),
                                 [](const frame* each) { return is(*each, "known::repeat<"); });
  if (root == real.end()) return "is not in the loop that the thread never leaves";
  if (root != real.begin() && !is(**(root - 1), "known::step<") && !is_of_sanitizer(**(root - 1)))
    return "called by the loop: not it";
  for (auto each = real.begin(); each != root; ++each)  // libraries without symbols aside
    if ((*each)->function.empty() && (*each)->module == (*root)->module && !is_stub(**each, real))
      return "a frame without a name";
  const auto first = raw.frames.begin() + (root - real.begin());
  std::vector<std::uintptr_t> tail;
  for (auto each = first + 1; each != raw.frames.end(); ++each)
    tail.push_back(each->pc);
  const std::uintptr_t caller = tail.empty() ? 0 : tail.front();
  const auto known = tails_.find(caller);
  if (known != tails_.end()) return known->second == tail ? "" : "other callers than before";
  if (!is_beginning(*real.back())) return "does not begin where threads begin";
  tails_.emplace(caller, tail);
  return {};
}

void stack_checker::print(std::string_view hazard) const {
  std::printf("HAZARD %.*s captures %d right %d cut %d absent %d wrong %d\n",
              static_cast<int>(hazard.size()), hazard.data(), result_.all(), result_.right,
              result_.cut, result_.absent, result_.wrong);
  for (const auto& [reason, count] : result_.reasons)
    std::printf("  %d: %s\n", count, reason.c_str());
  if (std::getenv("GMR_HAZARD_EXAMPLES") != nullptr)
    for (const auto& [reason, example] : result_.examples)
      std::printf("  example of %s:%s\n", reason.c_str(), example.c_str());
  for (const auto& [library, offsets] : plugin_calls_)  // it has one call
    EXPECT_EQ(offsets.size(), 1U) << library << " was confused with the other one";
  EXPECT_EQ(result_.wrong, 0) << result_.first_wrong;
}

}  // namespace gmr::capture::testing
