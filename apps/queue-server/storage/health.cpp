#include "storage/health.hpp"

#include "storage/storage.hpp"

namespace queue_server {

namespace {

std::string about(engine_use use, const char* what) {
  return std::string(use == engine_use::write ? "writing" : "reading") + what;
}

}  // namespace

std::optional<storage_health::fault>& storage_health::of(engine_use use) {
  return use == engine_use::write ? writing_ : reading_;
}

void storage_health::failed(engine_use use, const storage_error& problem) {
  ++faults_;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    auto& found = of(use);
    // Damage stays what is said, whatever else comes of it.
    if (found && found->lasting && !problem.lasting()) {
      ++found->times;
      return;
    }
    is_new = !found || found->what != problem.what();
    if (!found) found = fault{problem.what(), std::chrono::steady_clock::now(), 0, false};
    found->what = problem.what();
    found->lasting = problem.lasting();
    ++found->times;
    (use == engine_use::write ? writes_fail_ : reads_fail_) = true;
  }
  if (is_new) tell_(about(use, " fails: ") + problem.what());
}

void storage_health::worked(engine_use use) {
  if (!(use == engine_use::write ? writes_fail_ : reads_fail_)) return;
  {
    const std::lock_guard lock(mutex_);
    auto& found = of(use);
    if (!found || found->lasting) return;
    found.reset();
    (use == engine_use::write ? writes_fail_ : reads_fail_) = false;
  }
  tell_(about(use, " works again"));
}

std::optional<storage_health::fault> storage_health::now() const {
  if (!writes_fail_ && !reads_fail_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return writing_ ? writing_ : reading_;
}

void storage_health::set_engine(const engine_state& state) {
  const std::lock_guard lock(mutex_);
  engine_ = state;
}

engine_state storage_health::engine() const {
  const std::lock_guard lock(mutex_);
  return engine_;
}

}  // namespace queue_server
