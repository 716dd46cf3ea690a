// The service's own sections.
#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "os/fork.hpp"
#include "section/section_worker.hpp"
#include "section/sections.hpp"
#include "text/masking.hpp"
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

const std::shared_ptr<section_state>& shared_state();

// What the parent's threads run goes on there alone. A condition variable that some of them wait
// for would wait for them in turn.
void forget_generators() noexcept {
  section_state& state = *shared_state();
  std::construct_at(&state.changed);
  for (const auto& entry : state.entries)
    entry->running = false;
  state.left_behind = 0;
  state.mutex.unlock();
}

std::shared_ptr<section_state>* new_state() {
  static constexpr os::fork_actions when_forked{
      .before = []() noexcept { shared_state()->mutex.lock(); },
      .in_parent = []() noexcept { shared_state()->mutex.unlock(); },
      .in_child = forget_generators,
  };
  auto made = std::make_unique<std::shared_ptr<section_state>>(std::make_shared<section_state>());
  if (!os::on_fork(os::fork_place::sections, when_forked)) throw std::bad_alloc{};
  return made.release();
}

// Is not destroyed: registrations of static duration may outlive everything else.
const std::shared_ptr<section_state>& shared_state() {
  static const auto& state = *new_state();
  return state;
}

void remove(section_state& state, const std::shared_ptr<section_entry>& entry) {
  std::function<value()> generator;  // destroyed after the lock is released
  std::unique_lock lock{state.mutex};
  entry->removed = true;
  std::erase(state.entries, entry);
  if (entry->released) return;
  if (entry->running && entry->runner == std::this_thread::get_id()) return;
  state.changed.wait(lock, [&] { return !entry->running; });
  generator = std::exchange(entry->generator, nullptr);
  lock.unlock();
}

std::shared_ptr<section_entry> add_entry(std::string title, section_generator generator,
                                         section_position position, const void* owner) {
  auto entry = std::make_shared<section_entry>();
  entry->title = std::move(title);
  entry->position = std::move(position);
  entry->owner = owner;
  entry->generator = std::move(generator);
  // Nothing is allocated with the lock, which a report waits for.
  std::list<std::shared_ptr<section_entry>> last{entry};
  section_state& state = *shared_state();
  const std::lock_guard lock{state.mutex};
  state.entries.splice(state.entries.end(), last);
  return entry;
}

std::shared_ptr<void> guard_of(std::shared_ptr<section_entry> entry) {
  section_entry* const address = entry.get();
  return {address, [entry = std::move(entry)](void*) { remove(*shared_state(), entry); }};
}

using entry_list = std::list<std::shared_ptr<section_entry>>;

bool is_titled(const std::shared_ptr<section_entry>& entry, const std::string& title) {
  return entry->title == title;
}

// Puts each of the others before its title. One may wait for another of them, so this goes on until
// nothing finds its place any more; what is left is last.
void put_before(entry_list& ordered, const entry_list& registered) {
  entry_list waiting;
  for (const auto& entry : registered)
    if (!entry->position.first && !entry->position.before.empty()) waiting.push_back(entry);
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    for (auto next = waiting.begin(); next != waiting.end();) {
      const auto entry = next++;
      const auto place = std::find_if(ordered.begin(), ordered.end(), [&](const auto& other) {
        return is_titled(other, (*entry)->position.before);
      });
      if (place == ordered.end()) continue;
      ordered.splice(place, waiting, entry);
      has_moved = true;
    }
  }
  ordered.splice(ordered.end(), waiting);
}

// Those that are first, those without a position, and then each of the others put before its title.
entry_list in_order(const entry_list& registered) {
  entry_list ordered;
  auto end_of_first = ordered.begin();
  for (const auto& entry : registered) {
    if (entry->position.first)
      ordered.insert(end_of_first, entry);
    else if (entry->position.before.empty()) {
      const auto added = ordered.insert(ordered.end(), entry);
      if (end_of_first == ordered.end()) end_of_first = added;
    }
  }
  put_before(ordered, registered);
  return ordered;
}

}  // namespace

class section_registry::implementation final {
 public:
  ~implementation() {
    worker_.reset();
    entry_list left;  // destroyed after the lock is released
    std::unique_lock lock{state_->mutex};
    for (auto each = state_->entries.begin(); each != state_->entries.end();) {
      const auto entry = each++;
      if ((*entry)->owner != this) continue;
      (*entry)->removed = true;
      left.splice(left.end(), state_->entries, entry);
    }
    state_->changed.wait_for(lock, moment, [this] { return state_->left_behind == 0; });
    lock.unlock();
    for (const auto& entry : left)
      entry->kept.reset();
  }

  std::vector<custom_section> generate(milliseconds each, steady::time_point deadline) {
    const std::lock_guard one_at_a_time{generating_};
    entry_list entries;
    {
      const std::lock_guard lock{state_->mutex};
      for (const auto& entry : state_->entries)
        if (is_of(*this, *entry)) entries.push_back(entry);
    }
    std::vector<custom_section> sections;
    for (const auto& entry : in_order(entries))
      if (auto made = make(entry, each, deadline)) sections.push_back(std::move(*made));
    return sections;
  }

  void prepare(int capture_signal) {
    const std::lock_guard one_at_a_time{generating_};
    capture_signal_ = capture_signal;
    std::unique_lock lock{state_->mutex};
    // What is wrong is said by `generate`, in the place of each section.
    if (std::any_of(state_->entries.begin(), state_->entries.end(),
                    [this](const auto& entry) { return is_of(*this, *entry); }))
      static_cast<void>(prepare_worker(lock));
  }

 private:
  // Those of a reporter that was inherited from a parent process are not.
  static bool is_of(const implementation& registry, const section_entry& entry) noexcept {
    return entry.owner == nullptr || entry.owner == &registry;
  }

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

  const std::shared_ptr<section_state>& state_ = shared_state();
  std::mutex generating_;
  // Protected by generating_.
  std::unique_ptr<section_worker> worker_;
  int capture_signal_ = -1;
};

section_registry::section_registry() : implementation_(std::make_shared<implementation>()) {}
section_registry::~section_registry() = default;

std::shared_ptr<void> section_registry::add(std::string title, section_generator generator,
                                            section_position position) {
  return guard_of(add_entry(std::move(title), std::move(generator), std::move(position),
                            implementation_.get()));
}

void section_registry::keep(std::string title, section_generator generator,
                            section_position position) {
  add_entry(std::move(title), std::move(generator), std::move(position), implementation_.get());
}

void section_registry::prepare(int capture_signal) {
  implementation_->prepare(capture_signal);
}

std::vector<custom_section> section_registry::generate(milliseconds each,
                                                       steady::time_point deadline) {
  return implementation_->generate(each, deadline);
}

}  // namespace gmr::sections

namespace gmr {

section_registration register_section(std::string title, section_generator generator,
                                      section_position position) {
  return section_registration{sections::guard_of(
      sections::add_entry(texts::may_hold_url(title) ? texts::mask_urls(title) : std::move(title),
                          std::move(generator), std::move(position), nullptr))};
}

void section_registration::release() noexcept {
  if (guard_ == nullptr) return;
  const std::shared_ptr<void> guard = std::exchange(guard_, nullptr);
  auto& entry = *static_cast<sections::section_entry*>(guard.get());
  const std::lock_guard lock{sections::shared_state()->mutex};
  entry.released = true;
  if (!entry.removed) entry.kept = guard;
}

}  // namespace gmr
