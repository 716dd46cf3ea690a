#include "storage/health.hpp"

#include "storage/storage.hpp"

namespace queue_server {

std::optional<storage_health::fault>& storage_health::of(engine_use use) {
  return use == engine_use::write ? writing_ : reading_;
}

void storage_health::failed(engine_use use, const char* what) {
  ++faults_;
  bool is_new = false;
  {
    const std::lock_guard lock(mutex_);
    auto& found = of(use);
    is_new = !found || found->what != what;
    if (!found) found = fault{what, std::chrono::steady_clock::now(), 0};
    found->what = what;
    ++found->times;
    (use == engine_use::write ? writes_fail_ : reads_fail_) = true;
  }
  if (!is_new) return;
  tell_(std::string(use == engine_use::write ? "writing" : "reading") + " fails: " + what);
}

void storage_health::worked(engine_use use) {
  if (!(use == engine_use::write ? writes_fail_ : reads_fail_)) return;
  {
    const std::lock_guard lock(mutex_);
    of(use).reset();
    (use == engine_use::write ? writes_fail_ : reads_fail_) = false;
  }
  tell_(std::string(use == engine_use::write ? "writing" : "reading") + " works again");
}

std::optional<storage_health::fault> storage_health::now() const {
  if (!writes_fail_ && !reads_fail_) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return writing_ ? writing_ : reading_;
}

}  // namespace queue_server
