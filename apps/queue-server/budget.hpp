// Memory for what has been received in part: a bound for all clients together, so that many who
// begin and do not end can't take it all. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace queue_server {

class budget final {
 public:
  explicit budget(std::size_t most) : most_(most) {}

  // What one client has of it; gives it back when it goes.
  class share final {
   public:
    explicit share(budget& of) : of_(&of) {}
    share(const share&) = delete;
    share& operator=(const share&) = delete;
    ~share() { release(); }

    // False: there is not enough left, and the share stays as it is.
    [[nodiscard]] bool set(std::size_t bytes) noexcept {
      if (bytes > bytes_ && !of_->take(bytes - bytes_)) return false;
      if (bytes < bytes_) of_->used_ -= bytes_ - bytes;
      bytes_ = bytes;
      return true;
    }
    void release() noexcept {
      of_->used_ -= bytes_;
      bytes_ = 0;
    }

   private:
    budget* of_;
    std::size_t bytes_ = 0;
  };

  [[nodiscard]] std::size_t used() const noexcept { return used_; }
  [[nodiscard]] std::size_t most() const noexcept { return most_; }

 private:
  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    if (used_.fetch_add(bytes) + bytes <= most_) return true;
    used_ -= bytes;
    return false;
  }

  const std::size_t most_;
  std::atomic<std::size_t> used_ = 0;
};

}  // namespace queue_server
