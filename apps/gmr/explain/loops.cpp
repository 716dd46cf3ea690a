#include <algorithm>
#include <iterator>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::event_loop;
using reports::series;
using reports::thread;
using reports::thread_role;

const event_loop* loop_of(const series& compared, std::int64_t id) {
  return loop_run_by(compared.last(), id);
}

bool waits_to_be_told(const thread& of) {
  return of.waits_for && (of.waits_for->kind == "condition" || of.waits_for->kind == "semaphore");
}

// Threads that serve one loop: known with gmr::trace_ops, and otherwise those that are in the same
// place.
std::vector<const thread*> colleagues(const series& compared, const thread& of) {
  std::vector<const thread*> all;
  const event_loop* const loop = loop_of(compared, of.id);
  for (const thread& each : compared.last().threads) {
    const thread_role role = reports::role_of(each);
    if (role != thread_role::in_handler && role != thread_role::idle_loop) continue;
    const bool together = loop != nullptr ? loop_of(compared, each.id) == loop
                                          : reports::same_place(each.frames, of.frames);
    if (together) all.push_back(&each);
  }
  return all;
}

bool is_blocked(const series& compared, const thread& of) {
  return reports::role_of(of) == thread_role::in_handler && compared.stood_still(of);
}

std::string blocks_what(const series& compared, const thread& of) {
  const event_loop* const loop = loop_of(compared, of.id);
  if (loop == nullptr) return {};
  std::string text = "its event loop " + loop->address + " has " +
                     reports::plural(static_cast<double>(loop->queued), "handler", "handlers") +
                     " queued";
  if (loop->oldest_seconds)
    text += ", the first for " + reports::seconds_text(*loop->oldest_seconds);
  return text + ", and " +
         reports::plural(static_cast<double>(loop->pending), "operation", "operations") +
         " pending";
}

std::string waiting_for(const thread& of) {
  if (!of.waits_for) return of.state;
  if (of.waits_for->kind == "sleep") return "sleeping";
  return "waiting for " + wait_text(*of.waits_for);
}

void add_evidence(const series& compared, const thread& of, suspect& made) {
  made.since_seconds = compared.still_for(of);
  std::string what = name_of(of) + " was " + waiting_for(of) + " in " +
                     place_text(reports::innermost_own(of.frames));
  if (compared.compares())
    what += " in each of " + std::to_string(compared.all().size()) + " reports within " +
            reports::seconds_text(compared.seconds()) + ", and has not run meanwhile";
  made.evidence.push_back(std::move(what));
  if (const reports::frame* const handler = reports::handler_of(of))
    made.evidence.push_back("the event loop has called " + place_text(handler));
  if (const std::string loop = blocks_what(compared, of); !loop.empty())
    made.evidence.push_back(loop);
}

suspect blocked_loop(const series& compared, const thread& of) {
  suspect made = suspect_of(suspect_kind::blocked_loop, of);
  made.text = "A handler blocks " + name_of(of) + ", which runs an event loop: it is " +
              waiting_for(of) + " in " + place_text(reports::innermost_own(of.frames)) + '.';
  add_evidence(compared, of, made);
  return made;
}

suspect exhausted_pool(const series& compared, const std::vector<const thread*>& blocked) {
  const thread& first = *blocked.front();
  suspect made = suspect_of(suspect_kind::exhausted_pool, first);
  made.threads.clear();
  std::ranges::transform(blocked, std::back_inserter(made.threads), &thread::id);
  made.text = "All " + std::to_string(blocked.size()) +
              " threads of a pool are blocked: " + name_of(first) + " is " + waiting_for(first) +
              " in " + place_text(reports::innermost_own(first.frames)) + '.';
  for (const thread* each : blocked)
    if (each != &first)
      made.evidence.push_back(name_of(*each) + " is " + waiting_for(*each) + " in " +
                              place_text(reports::innermost_own(each->frames)));
  add_evidence(compared, first, made);
  return made;
}

// A thread of a pool that waits to be told may be a worker that was put there and has nothing to
// do.
bool may_be_idle_worker(const series& compared, const thread& of) {
  const event_loop* const loop = loop_of(compared, of.id);
  return waits_to_be_told(of) && reports::is_of_thread_pool(of) &&
         (loop == nullptr || loop->queued == 0);
}

// A call that should not last, in a thread of the service's own.
bool is_in_a_call_to_worry_about(const thread& of) {
  if (of.state == "uninterruptible") return true;
  return of.waits_for && (of.waits_for->kind == "file lock" || of.waits_for->kind == "connect" ||
                          of.waits_for->kind == "sync" || of.waits_for->kind == "send");
}

void find_blocked_threads(const series& compared, suspects& found) {
  for (const thread& each : compared.last().threads) {
    if (reports::role_of(each) != thread_role::own || !is_in_a_call_to_worry_about(each)) continue;
    if (explains(found, each.id) || !compared.stood_still(each)) continue;
    suspect& made = found.emplace_back(suspect_of(suspect_kind::blocked_thread, each));
    made.text = "A call does not return: " + name_of(each) + " is " + waiting_for(each) + " in " +
                place_text(reports::innermost_own(each.frames)) + '.';
    add_evidence(compared, each, made);
  }
}

void find_blocked_handlers(const series& compared, bool idle_workers_too, suspects& found) {
  for (const thread& each : compared.last().threads) {
    if (!is_blocked(compared, each) || explains(found, each.id)) continue;
    if (!idle_workers_too && may_be_idle_worker(compared, each)) continue;
    const std::vector<const thread*> pool = colleagues(compared, each);
    const bool all =
        std::ranges::all_of(pool, [&](const thread* one) { return is_blocked(compared, *one); });
    found.push_back(all && pool.size() > 1 ? exhausted_pool(compared, pool)
                                           : blocked_loop(compared, each));
  }
}

// Whether other processes had the processor that the thread wanted: then nothing is wrong with the
// service.
bool was_starved(const series& compared, const thread& of) {
  constexpr double much_of_the_time = 0.3;
  const thread* const then = compared.before(of.id);
  const double waited = of.waiting_seconds - (then == nullptr ? 0 : then->waiting_seconds);
  return waited > much_of_the_time * compared.seconds();
}

}  // namespace

void find_overloaded_loops(const series& compared, suspects& found) {
  constexpr double late = 1;
  if (!compared.compares()) return;
  for (const event_loop& loop : compared.last().event_loops) {
    const bool always = std::ranges::all_of(compared.all(), [&](const reports::report& each) {
      const auto then = std::ranges::find(each.event_loops, loop.address, &event_loop::address);
      return then != each.event_loops.end() && then->oldest_seconds.value_or(0) > late;
    });
    const thread* const of = loop.threads.empty() ? nullptr : compared.now(loop.threads.front());
    if (!always || of == nullptr || explains(found, of->id) || was_starved(compared, *of)) continue;
    suspect& made = found.emplace_back(suspect_of(suspect_kind::event_loop_delayed, *of));
    made.since_seconds = compared.seconds();
    made.text =
        "An event loop has more to do than its threads can: its handlers wait for their turn for a "
        "second or more in every report.";
    made.evidence.push_back(blocks_what(compared, *of));
  }
}

void find_blocked_loops(const series& compared, suspects& found) {
  find_blocked_handlers(compared, false, found);
  find_blocked_threads(compared, found);
}

void find_waiting_pools(const series& compared, suspects& found) {
  find_blocked_handlers(compared, true, found);
}

}  // namespace gmr_command::explanations
