// How a report is made, up to the finished value: `make` calls the stages in order. Each takes
// values, adds its part to the report, and returns what later stages need. What is shown of the
// report, and how, is decided afterwards: outline, view and sink get the value, in reporter.cpp.
//
// The deadline stops no stage from being called. Unwinding, green threads and names end when it has
// passed, each with a note where something is missing; sections have what is left of it.
#include "reporter/pipeline.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "analyse/entry_frames.hpp"
#include "analyse/fatal_finding.hpp"
#include "analyse/green_threads.hpp"
#include "analyse/group_history.hpp"
#include "analyse/operations.hpp"
#include "analyse/running_green_threads.hpp"
#include "analyse/socket_list.hpp"
#include "analyse/socket_queues.hpp"
#include "analyse/stalls.hpp"
#include "analyse/threads.hpp"
#include "analyse/untraced_coroutines.hpp"
#include "capture/green_threads.hpp"
#include "capture/thread_capturer.hpp"
#include "facts/resident_bytes.hpp"
#include "os/fatal_errors.hpp"
#include "os/modules.hpp"
#include "reporter/process_facts.hpp"
#include "reporter/processor_share.hpp"
#include "reporter/stage.hpp"
#include "symbolize/symbolizer.hpp"
#include "unwind/thread_stacks.hpp"
#include "unwind/unwinder.hpp"

namespace gmr {
namespace {

using clock = std::chrono::steady_clock;

// All OS threads: what was captured of each, and its stack as program counters.
struct captured_threads {
  std::span<const capture::thread_snapshot> snapshots;
  unwind::thread_stacks stacks;
};

// All green threads, in groups whose stacks have no names yet.
struct captured_green_threads {
  analyse::green_thread_collector groups;
  analyse::lock_suspect_finder suspects;
  std::vector<event_loop_info> event_loops;
};

}  // namespace

class pipeline::stages final {
 public:
  stages(package software, const settings& set, const known_configuration& configuration,
         sections::section_registry& sections, facts::built_program program, const recent_log* log)
      : software_(std::move(software)),
        settings_(set),
        configuration_(configuration),
        sections_(sections),
        program_(program),
        log_(log),
        capturer_({.signal = set.capture_signal,
                   .stack_bytes = set.stack_bytes,
                   .deadline = std::min(set.deadline, longest_capture)}) {}

  report make(const report_request& request);
  void rest() noexcept {
    capturer_.rest();
    symbolizer_.rest();
  }
  [[nodiscard]] int capture_signal() const noexcept { return capturer_.signal(); }

 private:
  static constexpr std::chrono::milliseconds longest_capture{500};  // of all OS threads
  static constexpr std::chrono::milliseconds longest_look_at_sockets{50};

  [[nodiscard]] report begin(const report_request& request) const;
  void read_modules(report& out);
  void make_stacks(report& out, clock::time_point start, clock::time_point& deadline,
                   std::chrono::milliseconds longest);
  [[nodiscard]] captured_threads capture_threads(report& out, clock::time_point deadline);
  void confirm_modules(report& out, captured_threads& threads, clock::time_point deadline);
  void describe_threads(report& out, const captured_threads& threads);
  [[nodiscard]] captured_green_threads capture_green_threads(report& out,
                                                             clock::time_point deadline);
  void find_untraced_coroutines(report& out, clock::time_point deadline);
  void expect_names(report& out, const captured_threads& threads,
                    const captured_green_threads& green_threads);
  void name_threads(report& out, const captured_threads& threads);
  [[nodiscard]] std::vector<analyse::lock_suspects> name_green_threads(
      report& out, captured_green_threads& captured, clock::time_point deadline);
  void list_modules(report& out);
  void look_at_process(report& out);
  void conclude(report& out, const captured_threads& threads,
                std::span<const analyse::lock_suspects> suspects, clock::time_point start);
  void add_event_loops(report& out, const analyse::loops_seen& loops) const;
  static void begin_with_fatal_error(report& out);
  void make_sections(report& out, clock::time_point deadline);

  const package software_;
  const settings settings_;
  const known_configuration& configuration_;
  sections::section_registry& sections_;
  const facts::built_program program_;
  const recent_log* const log_;

  // Of the report that is being made.
  report_shape shape_;
  std::optional<analyse::socket_list> sockets_;

  // What is kept from report to report.
  processor_share share_;
  os::module_reader module_reader_;
  os::shared_modules modules_ = std::make_shared<const os::module_table>();
  capture::thread_capturer capturer_;
  unwind::unwinder unwinder_{modules_};
  symbolize::symbolizer symbolizer_{modules_, settings_.debug_dirs};
  analyse::untraced_coroutine_finder untraced_;
  analyse::group_history history_;
  process_facts process_{configuration_};
};

// The way of a report. What a stage does is put into run_stage: where it throws, that part is
// missing from the report, with a note, and the next stage goes on.
report pipeline::stages::make(const report_request& request) {
  const clock::time_point start = clock::now();
  shape_ = request.shape.value_or(report_shape{.list = settings_.list, .order = settings_.order});
  const std::chrono::milliseconds longest = request.fatal_deadline.value_or(settings_.deadline);
  clock::time_point deadline = start + longest;
  sockets_.emplace();
  share_.begin();
  const std::uint64_t memory_before = resident_bytes();
  report out = begin(request);
  run_stage(out, "the thread of sections", out.cost.sections_seconds,
            [&] { sections_.prepare(capturer_.signal()); });
  read_modules(out);
  analyse::loops_seen loops;
  run_stage(out, "looking at event loops", out.cost.capture_seconds,
            [&] { loops = analyse::see_event_loops(); });
  if (shape_.has_stacks())
    make_stacks(out, start, deadline, longest);
  else
    look_at_process(out);
  if (shape_.has_stacks()) add_event_loops(out, loops);
  if (request.fatal_deadline) begin_with_fatal_error(out);
  make_sections(out, deadline);
  if (shape_.has_stacks()) note_lost_memory(out);

  const std::uint64_t memory_after = resident_bytes();
  out.cost.memory_growth_bytes = memory_after > memory_before ? memory_after - memory_before : 0;
  out.cost.total_seconds = std::chrono::duration<double>(clock::now() - start).count();
  return out;
}

// From the capture to the conclusions. What is left of the time comes to an end earlier where the
// processors are busy.
void pipeline::stages::make_stacks(report& out, clock::time_point start,
                                   clock::time_point& deadline, std::chrono::milliseconds longest) {
  // Capture and unwind. Threads first: green threads are many, and the threads that run them should
  // be seen with them.
  captured_threads threads = capture_threads(out, deadline);
  deadline -= std::chrono::ceil<clock::duration>(share_.time_to_end(longest));
  confirm_modules(out, threads, deadline);
  describe_threads(out, threads);
  captured_green_threads green_threads = capture_green_threads(out, deadline);
  find_untraced_coroutines(out, deadline);

  // Symbolize.
  expect_names(out, threads, green_threads);
  name_threads(out, threads);
  const std::vector<analyse::lock_suspects> suspects =
      name_green_threads(out, green_threads, deadline);
  list_modules(out);

  // Analyse.
  look_at_process(out);
  conclude(out, threads, suspects, start);
}

report pipeline::stages::begin(const report_request& request) const {
  report out;
  out.cause = request.cause;
  out.number = request.number;
  out.coalesced = request.coalesced;
  out.refused = request.refused;
  out.time = std::chrono::system_clock::now();
  out.package = software_;
  out.list = shape_.list;
  return out;
}

void pipeline::stages::read_modules(report& out) {
  run_stage(out, "reading of the list of modules", out.cost.capture_seconds, [&] {
    modules_ = module_reader_.read();
    unwinder_.use(modules_);
  });
}

// `capture_first` copies the stacks of the first blocked threads without a signal. They are
// unwound, and `capture_next` is told which of them proved exact: it has the others copy their
// stacks themselves, in a signal handler, and goes on with further threads, until there is nothing
// new. `snapshots` is the capturer's own list, which it changes in place.
captured_threads pipeline::stages::capture_threads(report& out, clock::time_point deadline) {
  captured_threads threads;
  bool more = false;
  run_stage(out, "capture of threads", out.cost.capture_seconds, [&] {
    threads.snapshots = capturer_.capture_first();
    more = true;
  });
  while (std::exchange(more, false)) {
    run_stage(out, "unwinding of threads", out.cost.resolve_seconds,
              [&] { threads.stacks.unwind_new(threads.snapshots, unwinder_, deadline); });
    run_stage(out, "capture of threads", out.cost.capture_seconds,
              [&] { more = capturer_.capture_next(threads.stacks.exact()); });
  }
  append(out.notes, capturer_.notes());
  return threads;
}

// Where modules came or went meanwhile, stacks are unwound anew.
void pipeline::stages::confirm_modules(report& out, captured_threads& threads,
                                       clock::time_point deadline) {
  run_stage(out, "a second look at the modules", out.cost.capture_seconds, [&] {
    const os::shared_modules before = std::exchange(modules_, module_reader_.confirm());
    unwinder_.use(modules_);
    symbolizer_.use(modules_, deadline);
    if (modules_ != before) threads.stacks.unwind_all(threads.snapshots, unwinder_, deadline);
  });
}

// What they wait for while it is as it was captured: memory goes on changing.
void pipeline::stages::describe_threads(report& out, const captured_threads& threads) {
  for (const capture::thread_snapshot& snapshot : threads.snapshots) {
    thread_info& thread = out.threads.emplace_back(analyse::describe(snapshot));
    run_stage(out, "wait of thread " + std::to_string(thread.id), out.cost.resolve_seconds,
              [&] { thread.waits_for = analyse::wait_of(snapshot, *sockets_); });
  }
}

captured_green_threads pipeline::stages::capture_green_threads(report& out,
                                                               clock::time_point deadline) {
  captured_green_threads captured{
      .groups = {unwinder_, *sockets_, shape_.list, shape_.order},
      .suspects = {out.threads, unwinder_},
      .event_loops = {},
  };
  analyse::running_green_threads running;
  run_stage(out, "capture of green threads", out.cost.capture_seconds, [&] {
    capture::green_thread_capture all{{.stack_bytes = settings_.stack_bytes, .deadline = deadline}};
    for (auto batch = all.next(); !batch.empty(); batch = all.next()) {
      running.take(batch);
      captured.suspects.take(batch);
      captured.groups.take(batch);
    }
    capture::green_thread_capture_result result = all.finish();
    append(out.findings, std::move(result.findings));
    append(out.notes, std::move(result.notes));
    captured.event_loops =
        analyse::describe_event_loops(result.contexts, result.contexts_at, ::gettid());
    out.operations = analyse::group_operations(std::move(result.operations), captured.event_loops,
                                               result.contexts_at, *sockets_);
  });
  running.tell(out.threads);
  return captured;
}

void pipeline::stages::find_untraced_coroutines(report& out, clock::time_point deadline) {
  run_stage(out, "looking for coroutines that are not traced", out.cost.resolve_seconds, [&] {
    if (auto found = untraced_.find(modules_->loaded(), deadline))
      out.findings.push_back(std::move(*found));
  });
}

// All that is not known yet is looked up together.
void pipeline::stages::expect_names(report& out, const captured_threads& threads,
                                    const captured_green_threads& green_threads) {
  run_stage(out, "looking for what has no name yet", out.cost.resolve_seconds, [&] {
    for (std::size_t i = 0; i < threads.snapshots.size(); ++i)
      if (!threads.snapshots[i].stack.empty()) symbolizer_.expect(threads.stacks.at(i));
    green_threads.groups.expect(symbolizer_);
  });
}

// Beyond the deadline, nothing is looked up: what is not known is a module and an offset.
void pipeline::stages::name_threads(report& out, const captured_threads& threads) {
  for (std::size_t i = 0; i < threads.snapshots.size(); ++i) {
    thread_info& thread = out.threads[i];
    if (threads.snapshots[i].stack.empty()) continue;
    run_stage(out, "stack of thread " + std::to_string(thread.id), out.cost.resolve_seconds, [&] {
      thread.stack = symbolizer_.resolve(threads.stacks.at(i));
      analyse::name_wait(thread);
      if (thread.waits_for) analyse::begin_with_call(thread.stack);
    });
  }
}

// Returns those that may hold a lock.
std::vector<analyse::lock_suspects> pipeline::stages::name_green_threads(
    report& out, captured_green_threads& captured, clock::time_point deadline) {
  run_stage(out, "naming of green threads' frames", out.cost.resolve_seconds,
            [&] { out.green_threads = captured.groups.finish(symbolizer_, deadline); });
  out.green_threads.event_loops = std::move(captured.event_loops);
  std::vector<analyse::lock_suspects> suspects;
  run_stage(out, "green threads that may hold locks", out.cost.resolve_seconds,
            [&] { suspects = captured.suspects.finish(symbolizer_); });
  return suspects;
}

void pipeline::stages::list_modules(report& out) {
  run_stage(out, "listing of modules", out.cost.resolve_seconds, [&] {
    out.modules = symbolizer_.modules();
    out.frames = symbolizer_.frames();
    append(out.notes, symbolizer_.end());
  });
}

void pipeline::stages::look_at_process(report& out) {
  if (shape_.has_stacks())
    run_stage(out, "queues of sockets", out.cost.resolve_seconds,
              [&] { analyse::add_socket_queues(out, *sockets_, longest_look_at_sockets); });
  process_.add_to(out, shape_, *sockets_);
}

void pipeline::stages::conclude(report& out, const captured_threads& threads,
                                std::span<const analyse::lock_suspects> suspects,
                                clock::time_point start) {
  run_stage(out, "analysis", out.cost.resolve_seconds, [&] {
    std::vector<finding> findings = analyse::findings_of(out, suspects, threads.snapshots);
    append(findings, analyse::find_delayed_loops(out.green_threads.event_loops));
    append(findings, analyse::find_long_waits(out.green_threads, settings_.long_wait));
    append(findings, history_.add(out.green_threads, start));
    // Conclusions before what could not be seen.
    begin_with(out, std::move(findings));
  });
}

// Stalls come first: what else is found out may be their cause, or follow from them.
void pipeline::stages::add_event_loops(report& out, const analyse::loops_seen& loops) const {
  run_stage(out, "event loops", out.cost.resolve_seconds, [&] {
    out.runtime = analyse::runtime_section(loops, settings_.stall, out.green_threads.event_loops);
    begin_with(out, analyse::find_stalls(loops, out));
  });
}

void pipeline::stages::begin_with_fatal_error(report& out) {
  run_stage(out, "the fatal error", out.cost.resolve_seconds, [&] {
    if (const os::fatal_error* const error = os::present_fatal_error())
      out.findings.insert(out.findings.begin(), analyse::describe_fatal_error(*error, out));
  });
}

void pipeline::stages::make_sections(report& out, clock::time_point deadline) {
  using outlines::part;
  double& seconds = out.cost.sections_seconds;
  run_stage(out, "the name of the host", seconds, [&] { out.host = facts::host_name(); });
  if (shape_.has(part::package))
    run_stage(out, "section Package", seconds, [&] {
      out.package_details = facts::package_section(software_, *modules_, program_);
    });
  if (shape_.has(part::configuration))
    run_stage(out, "section Configuration", seconds,
              [&] { out.configuration = configuration_.options(); });
  if (shape_.has(part::sections))
    run_stage(out, "sections of the service", seconds,
              [&] { out.sections = sections_.generate(settings_.section_deadline, deadline); });
  if (log_ != nullptr && shape_.has(part::log))
    run_stage(out, "section Log", seconds, [&] { out.log = log_->read(); });
}

pipeline::pipeline(package software, const settings& set, const known_configuration& configuration,
                   sections::section_registry& sections, facts::built_program program,
                   const recent_log* log)
    : stages_(std::make_unique<stages>(std::move(software), set, configuration, sections, program,
                                       log)) {}

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
