// The service's own sections.
#include <algorithm>
#include <optional>

#include "section/section_worker.hpp"
#include "section/sections.hpp"
#include "text/quantities.hpp"
#include "text/times.hpp"

namespace gmr::sections {
namespace {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t most_left_behind = 8;
constexpr milliseconds moment{500};  // for generators that hang, at the end

std::string seconds_text(milliseconds time) {
  return texts::significant(std::chrono::duration<double>(time).count(), 6) + " s";
}

void remove(section_state& state, const std::shared_ptr<section_entry>& entry) {
  std::function<value()> generator;  // destroyed after the lock is released
  std::unique_lock lock{state.mutex};
  entry->removed = true;
  std::erase(state.entries, entry);
  if (entry->running && entry->runner == std::this_thread::get_id()) return;
  state.changed.wait(lock, [&] { return !entry->running; });
  generator = std::exchange(entry->generator, nullptr);
  lock.unlock();
}

}  // namespace

class section_registry::implementation final {
 public:
  ~implementation() {
    worker_.reset();
    std::unique_lock lock{state_->mutex};
    state_->changed.wait_for(lock, moment, [this] { return state_->left_behind == 0; });
  }

  std::shared_ptr<section_entry> add(std::string title, std::function<value()> generator) {
    auto entry = std::make_shared<section_entry>();
    entry->title = std::move(title);
    entry->generator = std::move(generator);
    // Nothing is allocated with the lock, which a report waits for.
    std::list<std::shared_ptr<section_entry>> last{entry};
    const std::lock_guard lock{state_->mutex};
    state_->entries.splice(state_->entries.end(), last);
    return entry;
  }

  [[nodiscard]] const std::shared_ptr<section_state>& state() const noexcept { return state_; }

  std::vector<custom_section> generate(milliseconds each, steady::time_point deadline) {
    const std::lock_guard one_at_a_time{generating_};
    std::list<std::shared_ptr<section_entry>> entries;
    {
      const std::lock_guard lock{state_->mutex};
      entries = state_->entries;
    }
    std::vector<custom_section> sections;
    for (const auto& entry : entries)
      if (auto made = make(entry, each, deadline)) sections.push_back(std::move(*made));
    return sections;
  }

  void prepare(int capture_signal) {
    const std::lock_guard one_at_a_time{generating_};
    capture_signal_ = capture_signal;
    std::unique_lock lock{state_->mutex};
    // What is wrong is said by `generate`, in the place of each section.
    if (!state_->entries.empty()) static_cast<void>(prepare_worker(lock));
  }

 private:
  // Nothing when the section was removed meanwhile.
  std::optional<custom_section> make(const std::shared_ptr<section_entry>& entry, milliseconds each,
                                     steady::time_point deadline) {
    custom_section section;
    section.title = entry->title;
    std::unique_lock lock{state_->mutex};
    if (entry->removed) return std::nullopt;
    if (entry->running) {
      section.error =
          "not asked: still running since the report of " + texts::utc_time(entry->since);
    } else if (steady::now() >= deadline) {
      section.error = "not asked: no time left for this report";
    } else if (section.error = prepare_worker(lock); section.error.empty()) {
      return run(entry, std::move(section), lock, each, deadline);
    }
    return section;
  }

  std::optional<custom_section> run(const std::shared_ptr<section_entry>& entry,
                                    custom_section section, std::unique_lock<std::mutex>& lock,
                                    milliseconds each, steady::time_point deadline) {
    using progress = section_job::progress;
    const auto job = std::make_shared<section_job>();
    job->entry = entry;
    const steady::time_point begin = steady::now();
    const steady::time_point end = deadline - begin < each ? deadline : begin + each;
    worker_->start(job);
    state_->changed.wait_until(lock, end, [&] { return job->at == progress::done; });
    if (job->at == progress::done) {
      if (entry->removed) return std::nullopt;
      section.content = std::move(job->content);
      section.error = std::move(job->error);
      return section;
    }
    const auto given = std::chrono::duration_cast<milliseconds>(end - begin);
    section.error = "no answer within " + seconds_text(given);
    if (job->at == progress::queued) {
      section.error += ": its thread was given no time to begin";
      worker_->take_back();
    } else {
      worker_->leave_behind();
      worker_.reset();
    }
    return section;
  }

  // Makes sure of a worker; otherwise says why there is none. Called and left with the lock held.
  std::string prepare_worker(std::unique_lock<std::mutex>& lock) {
    const bool dead = worker_ != nullptr && worker_->is_dead();
    if (worker_ != nullptr && !dead) return {};
    if (state_->left_behind >= most_left_behind) {
      return "not asked: " + std::to_string(most_left_behind) + " generators hang";
    }
    std::string error;
    lock.unlock();
    try {
      worker_.reset();
      worker_ = std::make_unique<section_worker>(state_, capture_signal_);
    } catch (const std::exception& failure) {
      error = std::string("not asked: no thread for it: ") + failure.what();
    }
    lock.lock();
    return error;
  }

  const std::shared_ptr<section_state> state_ = std::make_shared<section_state>();
  std::mutex generating_;
  // Protected by generating_.
  std::unique_ptr<section_worker> worker_;
  int capture_signal_ = -1;
};

section_registry::section_registry() : implementation_(std::make_shared<implementation>()) {}
section_registry::~section_registry() = default;

std::shared_ptr<void> section_registry::add(std::string title, std::function<value()> generator) {
  auto entry = implementation_->add(std::move(title), std::move(generator));
  // Owns the state, not the registry, which may be gone before the guard.
  const auto release = [state = implementation_->state(), entry](void*) { remove(*state, entry); };
  return {entry.get(), release};
}

void section_registry::keep(std::string title, std::function<value()> generator) {
  static_cast<void>(implementation_->add(std::move(title), std::move(generator)));
}

void section_registry::prepare(int capture_signal) {
  implementation_->prepare(capture_signal);
}

std::vector<custom_section> section_registry::generate(milliseconds each,
                                                       steady::time_point deadline) {
  return implementation_->generate(each, deadline);
}

}  // namespace gmr::sections
