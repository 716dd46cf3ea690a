// What a storage engine does for the verbs: queues, messages, claims and subscriptions, without
// protocols, JSON shapes or threads. SQLite is one engine (storage/sqlite/); another implements
// this interface.
//
// A queue belongs to a project, and nothing of it is visible to another. A message can be seen from
// the end of its delay until it expires; while a claim on it lives, others are not offered it. What
// has expired is never returned; `sweep` removes it later.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/engine/values.hpp"

namespace queue_server {

// What the engine could not do, because of the disk, the file or a lock. The text is for the
// operator, never for a client.
class storage_error : public std::runtime_error {
 public:
  // `lasting`: it does not go away by itself, whatever else works: damage.
  explicit storage_error(const std::string& what, bool lasting = false)
      : std::runtime_error(what), lasting_(lasting) {}
  [[nodiscard]] bool lasting() const noexcept { return lasting_; }

 private:
  bool lasting_;
};

// One connection to the data. One thread at a time. All members throw storage_error; what changes
// more than one thing is atomic only between begin() and commit().
class engine {
 public:
  engine() = default;
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  virtual ~engine() = default;

  // Transactions. mark() begins a part that undo_to_mark() takes back alone; keep_mark() ends it.
  virtual void begin() = 0;
  virtual void commit() = 0;
  virtual void roll_back() = 0;
  [[nodiscard]] virtual bool in_transaction() const = 0;
  virtual void mark() = 0;
  virtual void keep_mark() = 0;
  virtual void undo_to_mark() = 0;

  // Queues
  [[nodiscard]] virtual bool create_queue(const queue_key& key,
                                          const std::string& metadata) = 0;  // true: new
  virtual void set_queue_metadata(const queue_key& key, const std::string& metadata) = 0;
  // Takes the same short time however much the queue holds: its contents are removed by sweep().
  virtual void delete_queue(const queue_key& key) = 0;
  [[nodiscard]] virtual std::optional<std::string> queue_metadata(const queue_key& key) = 0;
  [[nodiscard]] virtual std::vector<queue_entry> list_queues(const std::string& project,
                                                             const std::string& after,
                                                             const std::string& name_part,
                                                             std::int64_t limit) = 0;
  [[nodiscard]] virtual std::int64_t count_queues(const std::string& project) = 0;
  [[nodiscard]] virtual queue_stats stats(const queue_key& key) = 0;

  // For reports: no more than `lines` of each kind. Nothing when it would take longer than `time`.
  [[nodiscard]] virtual std::optional<census> count_all(std::int64_t lines,
                                                        std::chrono::milliseconds time) = 0;
  // Cheap, and asks nobody.
  [[nodiscard]] virtual engine_state state() const = 0;

  // Messages. Posting creates the queue when it is missing; returns the ids in order.
  [[nodiscard]] virtual std::vector<std::string> post(const queue_key& key,
                                                      const std::string& client,
                                                      const std::vector<new_message>& messages) = 0;
  [[nodiscard]] virtual std::vector<message> list_messages(const queue_key& key,
                                                           const message_filter& filter) = 0;
  [[nodiscard]] virtual std::vector<message> get_messages(const queue_key& key,
                                                          const std::vector<std::string>& ids) = 0;
  [[nodiscard]] virtual delete_outcome delete_message(
      const queue_key& key, const std::string& id, const std::optional<std::string>& claim_id) = 0;
  virtual void delete_messages(const queue_key& key, const std::vector<std::string>& ids) = 0;
  [[nodiscard]] virtual std::vector<message> pop(const queue_key& key, std::int64_t limit) = 0;
  // Removes all messages and claims of a queue, which stays. As quick as delete_queue().
  virtual void purge_messages(const queue_key& key) = 0;

  // Claims. A claim on nothing is not made: its id is empty.
  [[nodiscard]] virtual claim create_claim(const queue_key& key, claim_terms terms,
                                           std::int64_t limit,
                                           const std::optional<dead_letter_rule>& rule) = 0;
  [[nodiscard]] virtual std::optional<claim> get_claim(const queue_key& key,
                                                       const std::string& id) = 0;
  [[nodiscard]] virtual bool update_claim(const queue_key& key, const std::string& id,
                                          claim_terms terms) = 0;
  virtual void delete_claim(const queue_key& key, const std::string& id) = 0;

  // Subscriptions to a queue, which need not exist. A second one of the same subscriber is refused
  // (nothing) when the first is confirmed, and takes its place when it is not.
  [[nodiscard]] virtual std::optional<std::string> create_subscription(
      const queue_key& key, const new_subscription& made) = 0;
  [[nodiscard]] virtual std::vector<subscription> list_subscriptions(const queue_key& key,
                                                                     const std::string& after,
                                                                     std::int64_t limit) = 0;
  [[nodiscard]] virtual std::optional<subscription> get_subscription(const queue_key& key,
                                                                     const std::string& id) = 0;
  [[nodiscard]] virtual change_outcome change_subscription(const queue_key& key,
                                                           const std::string& id,
                                                           const subscription_change& change) = 0;
  [[nodiscard]] virtual bool confirm_subscription(const queue_key& key, const std::string& id,
                                                  bool confirmed) = 0;
  virtual void delete_subscription(const queue_key& key, const std::string& id) = 0;
  virtual void purge_subscriptions(const queue_key& key) = 0;
  // Of all projects: subscriptions whose subscriber begins like that.
  virtual void forget_subscribers(const std::string& beginning) = 0;

  // Writes a little, to see whether that works.
  virtual void try_to_write() = 0;
  // False: the disk is so full that only what makes the data smaller should be done.
  [[nodiscard]] virtual bool has_room() = 0;
  // After a write failed and was undone: gives up what was kept for a full disk, if that is why.
  virtual void make_room() noexcept = 0;

  // Removes some of what has expired, or belonged to deleted queues: at most about `limit` rows.
  // Returns how many; 0: nothing is left.
  virtual std::int64_t sweep(std::int64_t limit) = 0;
};

}  // namespace queue_server
