#include "golden_reports.hpp"

#include <memory>
#include <utility>

#include "support.hpp"

namespace gmr::views::test {
namespace {

using frames = std::vector<const frame*>;

class service {
 public:
  service() {
    made().cost = {0.002, 0.004, 0.001, 0.0075, 1 << 20};
    made().configuration = {{"http", "port", 8080, "orders.conf:3"},
                            {"db", "password", "***", "environment DB_PASSWORD"},
                            {"", "verbose", true, "command line"}};
    made().sections.push_back({"Orders", table{{"queue", "depth"}, {{"in", 3}, {"out", 0}}}, {}});
  }

  report& made() { return builder_->made; }
  report_builder* operator->() { return builder_.get(); }

  frames pool_thread() {
    frames all{call("epoll_wait", "/lib/x86_64-linux-gnu/libc.so.6")};
    for (const char* name :
         {"boost::asio::detail::epoll_reactor::run", "boost::asio::detail::scheduler::do_run_one",
          "boost::asio::detail::scheduler::run", "boost::asio::io_context::run"})
      all.push_back(builder_->add_frame(name, "", 0, true));
    all.push_back(builder_->add_frame("std::thread::_State_impl::_M_run", "", 0, true));
    return all;
  }

  // A frame of a library without debug information.
  const frame* call(std::string name, std::string module) {
    frame added = *builder_->add_frame(std::move(name), "", 0, true);
    added.module = std::move(module);
    return copied_.emplace_back(std::make_unique<frame>(added)).get();
  }

  thread_info& reporter_thread(pid_t id) {
    thread_info& thread = builder_->add_thread(
        id, "gmr-reporter", {builder_->add_frame("gmr::capture::take", "", 0, true)});
    thread.is_reporter = true;
    thread.state = 'R';
    return thread;
  }

  report finish() {
    report out = std::move(made());
    auto kept = std::make_shared<
        std::pair<std::unique_ptr<report_builder>, std::vector<std::unique_ptr<frame>>>>(
        std::move(builder_), std::move(copied_));
    out.frames = std::move(kept);
    return out;
  }

 private:
  std::unique_ptr<report_builder> builder_ = std::make_unique<report_builder>();
  std::vector<std::unique_ptr<frame>> copied_;
};

report idle() {
  service it;
  const frames pool = it.pool_thread();
  for (const pid_t id : {812, 813}) {
    thread_info& thread = it->add_thread(id, "io-" + std::to_string(id - 811), pool);
    thread.waits_for = wait_info{.kind = wait_kind::epoll, .fd = 5, .peer = "eventpoll"};
  }
  it.reporter_thread(814);
  it.made().green_threads.event_loops = {{0x7f10, 0, 2, {}, {812, 813}}};
  it.made().runtime =
      key_values{}
          .add("stall_seconds", 2.5)
          .add("event_loops", table{{"name", "address", "threads", "queued", "delay_seconds",
                                     "worst_delay_seconds", "stalled_seconds"},
                                    {{{}, "0x7f10", "812 813", 0, 0, 0.012, {}}}})
          .add("standstills", 0);
  it.made().operations = {{1,
                           "accept",
                           false,
                           0x7f10,
                           {812, 813},
                           3600.5,
                           3600.5,
                           {{7, "tcp 0.0.0.0:8080 listening", 3600.5, {}}}},
                          {1, "timer", false, 0x7f10, {812, 813}, {}, {}, {{{}, "", {}, 27.0}}}};
  return it.finish();
}

report deadlock() {
  service it;
  const frame* const run = it->add_frame("orders::run", "/srv/src/main.cpp", 80);
  const auto stuck = [&](pid_t id, pid_t owner, const char* where, std::uint32_t line) {
    thread_info& thread = it->add_thread(id, "io-" + std::to_string(id - 811),
                                         {it.call("pthread_mutex_lock", "/lib/libc.so.6"),
                                          it->add_frame(where, "/srv/src/cache.cpp", line), run});
    thread.waits_for = wait_info{.kind = wait_kind::mutex,
                                 .address = 0x7f00 + static_cast<std::uint64_t>(owner),
                                 .owner = owner};
  };
  stuck(812, 813, "orders::cache::put", 57);
  stuck(813, 812, "orders::cache::get", 90);
  it->add_thread(814, "io-3", it.pool_thread());
  it.made().findings = {{finding_kind::deadlock,
                         "Deadlock of 2 threads: thread 812 (io-1) waits for mutex 0x822d held by "
                         "thread 813 (io-2); thread 813 (io-2) waits for mutex 0x822c held by "
                         "thread 812 (io-1)",
                         {812, 813},
                         {},
                         2}};
  return it.finish();
}

report fibers() {
  service it;
  frames stack{it->add_frame("jump_fcontext", "", 0, true),
               it->add_frame("boost::context::fiber::resume", "", 0, true),
               it->add_frame("boost::asio::detail::spawned_thread_base::suspend", "", 0, true),
               it->add_frame("orders::session", "/srv/src/session.cpp", 42),
               it->add_frame("gmr_fiber_entry", "", 0, true)};
  green_thread_group& group = it->add_group(3, stack);
  group.kind = green_thread_kind::fiber;
  group.ids = {4, 12, 13};
  group.names = {"session 10.0.0.7:4711"};
  group.labels = {{"request", {"GET /orders?token=***"}}};
  group.parents = {6, 9};
  group.parent_of = {{12, 6}, {13, 9}};
  group.with_parent = 2;
  group.stack_bytes = 65536;
  group.high_water_bytes = 12288;
  group.oldest_seconds = 192;
  group.newest_seconds = 1.2;
  group.oldest_id = 4;
  group.waits_for = wait_info{.kind = wait_kind::operation, .name = "read"};
  group.operations = {{4, "read", false, 12, "tcp 127.0.0.1:8888 - 127.0.0.1:51442", {}},
                      {4, "timer", false, {}, "", 27.0}};
  green_thread_group& running = it->add_group(1, {});
  running.kind = green_thread_kind::fiber;
  running.state = green_thread_state::running;
  running.threads = {812};
  it.made().green_threads.stacks.back().note = "running";
  it->add_thread(812, "io-1", it.pool_thread()).runs = 1;
  return it.finish();
}

report tree() {
  service it;
  it.made().list = report_list::tree;
  const frame* const serve = it->add_logical("orders::serve", "/srv/src/server.cpp", 31);
  green_thread_group& reading =
      it->add_group(3, {it->add_logical("orders::read", "/srv/src/wire.cpp", 7), serve});
  reading.waits_for = wait_info{.kind = wait_kind::operation, .name = "read"};
  reading.oldest_seconds = reading.newest_seconds = 2.5;
  green_thread_group& writing =
      it->add_group(5, {it->add_logical("orders::write", "/srv/src/wire.cpp", 19), serve});
  writing.state = green_thread_state::ready;
  writing.parents = {77};
  writing.parent_of = {{1, 77}, {2, 77}, {3, 77}, {4, 77}, {5, 77}};
  writing.with_parent = 5;
  it->add_thread(812, "io-1", it.pool_thread());
  return it.finish();
}

// A container whose policy refuses nearly all of it.
report refused() {
  service it;
  report& made = it.made();
  made.process = nullptr;
  made.package_details = nullptr;
  made.configuration.clear();
  made.notes = {
      "stacks, locks and the modules of the program are unknown: memory can't be read "
      "(Operation not permitted)"};
  made.findings = {
      {finding_kind::tracing_inactive, "Boost.Context fibers: the hook is not linked", {}, {}}};
  made.green_threads.notes = {"Boost.Context fibers: out of time: 5 left out"};
  made.sections = {{"Orders", {}, "no answer within 2 s"}, {"Orders", "second", {}}};
  const auto add = [&](pid_t id, capture_outcome outcome, const char* note) {
    thread_info& thread = it->add_thread(id, "io-" + std::to_string(id - 811), {});
    thread.capture = outcome;
    thread.note = note;
    thread.cpu.reset();
  };
  add(812, capture_outcome::unreadable, "Operation not permitted");
  add(813, capture_outcome::signal_blocked, "in system call 219 (0x1, 0x2)");
  add(814, capture_outcome::exited, "");
  thread_info& cut = it->add_thread(815, "io-4", it.pool_thread());
  cut.capture = capture_outcome::truncated;
  cut.stack.truncated = true;
  return it.finish();
}

}  // namespace

const std::vector<golden_report>& golden_reports() {
  static const std::vector<golden_report> all{{"idle", idle},
                                              {"deadlock", deadlock},
                                              {"fibers", fibers},
                                              {"tree", tree},
                                              {"refused", refused}};
  return all;
}

}  // namespace gmr::views::test
