#include "section/section_worker.hpp"

#include <cxxabi.h>
#include <pthread.h>

#include <boost/core/demangle.hpp>
#include <exception>
#include <utility>

#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "options/masked_values.hpp"
#include "section/sections.hpp"
#include "text/masking.hpp"

namespace gmr::sections {
namespace {

// Inside a catch block: what is known of the exception.
std::string current_error() {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of type " +
           boost::core::demangle(abi::__cxa_current_exception_type()->name());
  }
}

thread_local bool runs_generator = false;

value generated_by(const std::function<value()>& generator) {
  struct reset {
    ~reset() { runs_generator = false; }
  } const at_end;
  runs_generator = true;
  return generator();
}

}  // namespace

bool in_generator() noexcept {
  return runs_generator;
}

struct section_worker::loop {
  std::shared_ptr<section_job> next;
  bool stop = false;  // or left behind: end after the job
  bool left = false;
  bool dead = false;

  void run(section_state& state) {
    std::unique_lock lock{state.mutex};
    for (;;) {
      state.changed.wait(lock, [this] { return next != nullptr || stop; });
      if (next == nullptr) return;
      const std::shared_ptr<section_job> job = std::exchange(next, nullptr);
      run_job(state, lock, *job);
      if (left) {
        --state.left_behind;
        state.changed.notify_all();
        return;
      }
    }
  }

 private:
  void run_job(section_state& state, std::unique_lock<std::mutex>& lock, section_job& job) {
    section_entry& entry = *job.entry;
    if (entry.removed) {
      job.at = section_job::progress::done;
      state.changed.notify_all();
      return;
    }
    job.at = section_job::progress::running;
    entry.running = true;
    entry.runner = std::this_thread::get_id();
    entry.since = std::chrono::system_clock::now();
    lock.unlock();
    value content;
    std::string error;
    try {
      content = generated_by(entry.generator);
      loading::mask_urls(content);
    } catch (...) {
      if (abi::__cxa_current_exception_type() == nullptr) {
        // pthread_exit unwinds with no C++ exception: to swallow it would end the process.
        finish(state, lock, job, {}, "the generator ended its thread");
        dead = true;
        if (left) --state.left_behind;
        lock.unlock();
        throw;
      }
      error = texts::mask_urls(current_error());
    }
    finish(state, lock, job, std::move(content), std::move(error));
  }

  // Returns with the lock held.
  static void finish(section_state& state, std::unique_lock<std::mutex>& lock, section_job& job,
                     value content, std::string error) {
    section_entry& entry = *job.entry;
    lock.lock();
    job.content = std::move(content);
    job.error = std::move(error);
    job.at = section_job::progress::done;
    entry.running = false;
    // Removed by its own generator: what that captured could not be destroyed then.
    std::function<value()> removed;
    if (entry.removed) removed = std::exchange(entry.generator, nullptr);
    state.changed.notify_all();
    if (!removed) return;
    lock.unlock();
    removed = nullptr;
    lock.lock();
  }
};

section_worker::section_worker(std::shared_ptr<section_state> state, int capture_signal)
    : state_(std::move(state)), loop_(std::make_shared<loop>()) {
  const capture::blocked_signals born_with{capture_signal};
  thread_ = std::thread([state = state_, loop = loop_] {
    ::pthread_setname_np(::pthread_self(), "gmr-sections");
    enroll_this_thread();  // generators may leave little of its stack
    loop->run(*state);
  });
}

section_worker::~section_worker() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{state_->mutex};
    loop_->stop = true;
  }
  state_->changed.notify_all();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void section_worker::start(std::shared_ptr<section_job> job) {
  loop_->next = std::move(job);
  state_->changed.notify_all();
}

void section_worker::take_back() {
  loop_->next = nullptr;
}

void section_worker::leave_behind() {
  loop_->left = true;
  loop_->stop = true;
  ++state_->left_behind;
  thread_.detach();
}

bool section_worker::is_dead() const noexcept {
  return loop_->dead;
}

}  // namespace gmr::sections
