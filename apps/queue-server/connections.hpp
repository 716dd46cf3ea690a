// Every client connection: what the report's section shows and what a shutdown has to end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace queue_server {

// What the session knows about itself. Its own session writes, anybody reads: no call waits for
// the session, whatever that is doing.
class connection final {
 public:
  connection(std::string peer, std::string protocol)
      : peer_(std::move(peer)), protocol_(std::move(protocol)) {}

  // `doing` must be a literal.
  void now(const char* doing) noexcept { doing_.store(doing, std::memory_order_relaxed); }
  void now(const char* doing, std::string_view request);
  void received(std::uint64_t bytes) noexcept { in_.fetch_add(bytes, std::memory_order_relaxed); }
  void sent(std::uint64_t bytes) noexcept { out_.fetch_add(bytes, std::memory_order_relaxed); }

  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  [[nodiscard]] const std::string& protocol() const noexcept { return protocol_; }
  [[nodiscard]] std::chrono::steady_clock::duration age() const noexcept {
    return std::chrono::steady_clock::now() - since_;
  }
  [[nodiscard]] std::uint64_t bytes_in() const noexcept { return in_; }
  [[nodiscard]] std::uint64_t bytes_out() const noexcept { return out_; }
  [[nodiscard]] const char* doing() const noexcept { return doing_; }
  // The latest request; empty when there was none, or it is being written this instant.
  [[nodiscard]] std::string request() const;

 private:
  const std::string peer_;
  const std::string protocol_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> in_ = 0;
  std::atomic<std::uint64_t> out_ = 0;
  std::atomic<const char*> doing_ = "starting";
  mutable std::mutex mutex_;  // held for a copy of a line
  std::string request_;
};

class connections final {
 public:
  // Ends the registration when it goes.
  class entry final {
   public:
    entry() noexcept;
    entry(entry&& other) noexcept;
    entry& operator=(entry&& other) noexcept;
    ~entry();
    connection* operator->() const noexcept { return shown_.get(); }
    // It is one of the places that are kept for those who ask whether the server lives.
    [[nodiscard]] bool crowded() const noexcept { return crowded_; }
    explicit operator bool() const noexcept { return shown_ != nullptr; }

   private:
    friend class connections;
    struct record;
    void leave() noexcept;
    std::shared_ptr<connection> shown_;
    std::unique_ptr<record> record_;
    bool crowded_ = false;
  };

  struct limits {
    std::size_t most = 0;  // of all
    // Of each protocol, so that neither locks out the other. Not named: as many as of all.
    std::unordered_map<std::string, std::size_t> per_protocol = {};
    std::size_t per_address = 0;  // from one address; 0: as many as come
  };
  // Kept on top, of HTTP, for those who ask whether the server lives.
  static constexpr std::size_t places_for_health = 8;

  explicit connections(const limits& set) : limits_(set) {}

  // `peer` is "ADDR:PORT". `stop` is called at most once, from any thread, when the server shuts
  // down; it must only ask the session to end. Empty when there are too many connections or the
  // server shuts down.
  [[nodiscard]] entry add(std::string peer, std::string protocol, std::function<void()> stop);

  // Refuses new ones and asks those there are to end.
  void stop_all();

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

  // Those there are, oldest first, at most `limit`. Gives up, empty and `complete` false, when the
  // registry is not to be had within `patience`.
  struct listing {
    bool complete = false;
    std::size_t total = 0;
    std::vector<std::shared_ptr<connection>> shown;
  };
  [[nodiscard]] listing list(std::size_t limit, std::chrono::milliseconds patience) const;

 private:
  struct item {
    std::shared_ptr<connection> shown;
    std::function<void()> stop;
  };

  [[nodiscard]] bool has_room(const std::string& protocol, const std::string& address) const;
  void count_in(const connection& added, bool crowded);
  void count_out(const connection& gone, bool crowded) noexcept;

  const limits limits_;
  mutable std::timed_mutex mutex_;
  std::size_t crowded_ = 0;
  std::unordered_map<std::string, std::size_t> by_protocol_;
  std::unordered_map<std::string, std::size_t> by_address_;
  std::list<item> items_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> refused_ = 0;
};

}  // namespace queue_server
