#include "reporter/pipeline.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>

#include "analyse/blocked_call.hpp"
#include "analyse/green_threads.hpp"
#include "analyse/group_history.hpp"
#include "analyse/operations.hpp"
#include "analyse/threads.hpp"
#include "capture/green_threads.hpp"
#include "capture/thread_capturer.hpp"
#include "reporter/process_facts.hpp"
#include "reporter/stage.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/unwinder.hpp"

namespace gmr {
namespace {

using clock = std::chrono::steady_clock;

// Hands green threads on to the analysis and remembers which thread runs which: what scheduler and
// kernel know of each other.
class joining_consumer final : public capture::green_thread_consumer {
 public:
  joining_consumer(analyse::green_thread_collector& next, analyse::lock_suspect_finder& suspects)
      : next_(next), suspects_(suspects) {}

  void take(const green_thread_view& view) override {
    if (view.state == green_thread_state::running && view.thread != 0)
      running_.emplace(view.thread, view.id);
    suspects_.take(view);
    next_.take(view);
  }
  void take(const green_thread_view& view, const capture::stack_snapshot& copy) override {
    suspects_.take(view, copy);
    next_.take(view, copy);
  }

  [[nodiscard]] std::optional<std::uint64_t> run_by(pid_t thread) const {
    const auto found = running_.find(thread);
    return found == running_.end() ? std::nullopt : std::optional{found->second};
  }

 private:
  analyse::green_thread_collector& next_;
  analyse::lock_suspect_finder& suspects_;
  std::unordered_map<pid_t, std::uint64_t> running_;
};

thread_info describe(const capture::thread_snapshot& snapshot) {
  thread_info out;
  out.id = snapshot.id;
  out.name = snapshot.name;
  out.state = snapshot.state;
  out.capture = snapshot.outcome;
  out.note = snapshot.note;
  if (const std::string place = analyse::place_in_kernel(snapshot); !place.empty())
    out.note += (out.note.empty() ? "" : "; ") + place;
  out.is_reporter = snapshot.is_reporter;
  out.cpu = snapshot.cpu;
  if (snapshot.runs != 0) out.runs = snapshot.runs;
  return out;
}

bool has_stack(const capture::thread_snapshot& snapshot) {
  return snapshot.stack.registers.pc() != 0 || !snapshot.stack.walked.empty();
}

}  // namespace

void known_configuration::add(std::vector<option_entry> options, std::vector<std::string> secrets) {
  const std::lock_guard lock{mutex_};
  for (option_entry& option : options)
    options_.push_back(std::move(option));
  for (std::string& secret : secrets)
    secrets_.push_back(std::move(secret));
}

std::vector<option_entry> known_configuration::options() const {
  const std::lock_guard lock{mutex_};
  return options_;
}

std::vector<std::string> known_configuration::secrets() const {
  const std::lock_guard lock{mutex_};
  return secrets_;
}

class pipeline::stages final {
 public:
  stages(package software, const settings& set, const known_configuration& configuration,
         sections::section_registry& sections)
      : software_(std::move(software)),
        settings_(set),
        configuration_(configuration),
        sections_(sections),
        capturer_(capture_settings()) {}

  report make(const report_request& request);
  void rest() noexcept { symbolizer_.rest(); }
  [[nodiscard]] int capture_signal() const noexcept { return capturer_.signal(); }

 private:
  static constexpr std::chrono::milliseconds longest_capture{500};  // of all OS threads

  capture::thread_capture_settings capture_settings();
  void stacks(report& out, clock::time_point deadline);
  void describe_threads(report& out, const std::vector<capture::thread_snapshot>& threads);
  void resolve(report& out, const std::vector<capture::thread_snapshot>& threads,
               clock::time_point deadline);
  void resolve_stack(thread_info& thread, const capture::thread_snapshot& snapshot,
                     clock::time_point deadline);
  void make_sections(report& out, clock::time_point deadline);

  const package software_;
  const settings settings_;
  const known_configuration& configuration_;
  sections::section_registry& sections_;
  unwind::unwinder unwinder_;
  unwind::raw_stack raw_;  // reused: no allocation a stack
  symbolize::symbolizer symbolizer_;
  std::vector<analyse::lock_suspects> suspects_;  // of the report that is being made
  analyse::group_history history_;
  capture::thread_capturer capturer_;  // asks the unwinder whether a stack is exact
};

capture::thread_capture_settings pipeline::stages::capture_settings() {
  capture::thread_capture_settings out;
  out.signal = settings_.capture_signal;
  out.stack_bytes = settings_.stack_bytes;
  out.deadline = std::min(settings_.deadline, longest_capture);
  out.exact = [this](const capture::stack_snapshot& snapshot) {
    unwinder_.unwind(snapshot, raw_);
    return raw_.exact && !raw_.truncated && raw_.frames.size() > 1;
  };
  return out;
}

report pipeline::stages::make(const report_request& request) {
  const clock::time_point start = clock::now();
  const clock::time_point deadline = start + settings_.deadline;
  const std::uint64_t memory_before = resident_bytes();
  report out;
  out.cause = request.cause;
  out.number = request.number;
  out.coalesced = request.coalesced;
  out.time = std::chrono::system_clock::now();
  out.package = software_;
  out.list = settings_.list;
  run_stage(out, "the thread of sections", out.cost.sections_seconds,
            [&] { sections_.prepare(capturer_.signal()); });
  stacks(out, deadline);
  run_stage(out, "analysis", out.cost.resolve_seconds, [&] {
    std::vector<finding> findings = analyse::findings_of(out, suspects_);
    for (finding& late : analyse::find_delayed_loops(out.green_threads.event_loops))
      findings.push_back(std::move(late));
    for (finding& late : analyse::find_long_waits(out.green_threads, settings_.long_wait))
      findings.push_back(std::move(late));
    for (finding& grown : history_.add(out.green_threads, start))
      findings.push_back(std::move(grown));
    // Conclusions before what could not be seen.
    findings.insert(findings.end(), std::make_move_iterator(out.findings.begin()),
                    std::make_move_iterator(out.findings.end()));
    out.findings = std::move(findings);
  });
  make_sections(out, deadline);
  const std::uint64_t memory_after = resident_bytes();
  out.cost.memory_growth_bytes = memory_after > memory_before ? memory_after - memory_before : 0;
  out.cost.total_seconds = std::chrono::duration<double>(clock::now() - start).count();
  return out;
}

// Threads first: green threads are many, and the threads that run them should be seen with them.
void pipeline::stages::stacks(report& out, clock::time_point deadline) {
  static const std::vector<capture::thread_snapshot> none;
  const std::vector<capture::thread_snapshot>* threads = &none;
  run_stage(out, "reading of unwind tables", out.cost.capture_seconds,
            [&] { unwinder_.refresh(); });
  run_stage(out, "reading of symbols", out.cost.resolve_seconds, [&] { symbolizer_.refresh(); });
  run_stage(out, "capture of threads", out.cost.capture_seconds,
            [&] { threads = &capturer_.capture(); });
  run_stage(out, "a second look at the modules", out.cost.capture_seconds, [&] {
    unwinder_.settle();
    symbolizer_.settle();
  });
  describe_threads(out, *threads);
  analyse::lock_suspect_finder suspects{out.threads, unwinder_};
  analyse::green_thread_collector collector{unwinder_, settings_.list, settings_.order};
  joining_consumer consumer{collector, suspects};
  std::vector<event_loop_info> loops;
  run_stage(out, "capture of green threads", out.cost.capture_seconds, [&] {
    capture::green_thread_capture_result result = capture::capture_green_threads(
        {.stack_bytes = settings_.stack_bytes, .deadline = deadline}, consumer);
    out.findings = std::move(result.findings);
    loops = analyse::describe_event_loops(result.contexts, result.contexts_at, ::gettid());
    for (std::string& note : result.notes)
      out.notes.push_back(std::move(note));
  });
  for (thread_info& thread : out.threads)
    if (!thread.runs) thread.runs = consumer.run_by(thread.id);
  resolve(out, *threads, deadline);
  run_stage(out, "naming of green threads' frames", out.cost.resolve_seconds,
            [&] { out.green_threads = collector.finish(symbolizer_, deadline); });
  out.green_threads.event_loops = std::move(loops);
  suspects_.clear();
  run_stage(out, "green threads that may hold locks", out.cost.resolve_seconds,
            [&] { suspects_ = suspects.finish(symbolizer_); });
  run_stage(out, "listing of modules", out.cost.resolve_seconds, [&] {
    out.modules = symbolizer_.modules();
    out.frames = symbolizer_.frames();
  });
}

// What they wait for while it is as it was captured: memory goes on changing.
void pipeline::stages::describe_threads(report& out,
                                        const std::vector<capture::thread_snapshot>& threads) {
  for (const capture::thread_snapshot& snapshot : threads) {
    thread_info& thread = out.threads.emplace_back(describe(snapshot));
    run_stage(out, "wait of thread " + std::to_string(thread.id), out.cost.resolve_seconds,
              [&] { thread.waits_for = analyse::wait_of(snapshot); });
  }
}

void pipeline::stages::resolve(report& out, const std::vector<capture::thread_snapshot>& threads,
                               clock::time_point deadline) {
  for (std::size_t i = 0; i < threads.size(); ++i) {
    thread_info& thread = out.threads[i];
    run_stage(out, "stack of thread " + std::to_string(thread.id), out.cost.resolve_seconds,
              [&] { resolve_stack(thread, threads[i], deadline); });
  }
}

void pipeline::stages::resolve_stack(thread_info& thread, const capture::thread_snapshot& snapshot,
                                     clock::time_point deadline) {
  if (!has_stack(snapshot)) return;
  if (clock::now() >= deadline) {
    thread.stack.note = "not resolved: the time for the report was over";
    return;
  }
  unwinder_.unwind(snapshot.stack, raw_);
  thread.stack = symbolizer_.resolve(raw_);
}

void pipeline::stages::make_sections(report& out, clock::time_point deadline) {
  double& seconds = out.cost.sections_seconds;
  run_stage(out, "the name of the host", seconds, [&] { out.host = sections::host_name(); });
  run_stage(out, "section Package", seconds, [&] {
    out.package_details = sections::package_section(software_, executable_build_id(out.modules));
  });
  run_stage(out, "section Process", seconds,
            [&] { out.process = sections::process_section(configuration_.secrets()); });
  run_stage(out, "section Configuration", seconds,
            [&] { out.configuration = configuration_.options(); });
  run_stage(out, "sections of the service", seconds,
            [&] { out.sections = sections_.generate(settings_.section_deadline, deadline); });
}

pipeline::pipeline(package software, const settings& set, const known_configuration& configuration,
                   sections::section_registry& sections)
    : stages_(std::make_unique<stages>(std::move(software), set, configuration, sections)) {}

pipeline::~pipeline() = default;

report pipeline::make(const report_request& request) {
  return stages_->make(request);
}

void pipeline::rest() noexcept {
  stages_->rest();
}

int pipeline::capture_signal() const noexcept {
  return stages_->capture_signal();
}

}  // namespace gmr
