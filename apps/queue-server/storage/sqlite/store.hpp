// The engine on SQLite.
#pragma once

#include <optional>

#include "storage/engine/engine.hpp"
#include "storage/engine/id.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/message_clock.hpp"
#include "storage/sqlite/reserve.hpp"

namespace queue_server {

// Throws storage_error for a file that SQLite finds damaged. Reads all of it.
void check_for_damage(const std::string& path);

// One connection to a database file.
class store final : public engine {
 public:
  // Read-write creates the file and its tables as needed.
  store(const std::string& path, sqlite::open_mode mode,
        sqlite::machine_clocks machine = sqlite::this_machine());

  [[nodiscard]] sqlite::database& connection() noexcept { return database_; }

  void begin() override;
  void commit() override;
  void roll_back() override;
  [[nodiscard]] bool in_transaction() const override;
  void mark() override;
  void keep_mark() override;
  void undo_to_mark() override;

  [[nodiscard]] bool create_queue(const queue_key& key, const std::string& metadata) override;
  void set_queue_metadata(const queue_key& key, const std::string& metadata) override;
  void delete_queue(const queue_key& key) override;
  [[nodiscard]] std::optional<std::string> queue_metadata(const queue_key& key) override;
  [[nodiscard]] std::vector<queue_entry> list_queues(const std::string& project,
                                                     const std::string& after,
                                                     const std::string& name_part,
                                                     std::int64_t limit) override;
  [[nodiscard]] std::int64_t count_queues(const std::string& project) override;
  [[nodiscard]] queue_stats stats(const queue_key& key) override;
  [[nodiscard]] std::optional<census> count_all(std::int64_t lines,
                                                std::chrono::milliseconds time) override;
  [[nodiscard]] engine_state state() const override;

  [[nodiscard]] std::vector<std::string> post(const queue_key& key, const std::string& client,
                                              const std::vector<new_message>& messages) override;
  [[nodiscard]] std::vector<message> list_messages(const queue_key& key,
                                                   const message_filter& filter) override;
  [[nodiscard]] std::vector<message> get_messages(const queue_key& key,
                                                  const std::vector<std::string>& ids) override;
  [[nodiscard]] delete_outcome delete_message(const queue_key& key, const std::string& id,
                                              const std::optional<std::string>& claim_id) override;
  void delete_messages(const queue_key& key, const std::vector<std::string>& ids) override;
  [[nodiscard]] std::vector<message> pop(const queue_key& key, std::int64_t limit) override;
  void purge_messages(const queue_key& key) override;

  [[nodiscard]] claim create_claim(const queue_key& key, claim_terms terms, std::int64_t limit,
                                   const std::optional<dead_letter_rule>& rule) override;
  [[nodiscard]] std::optional<claim> get_claim(const queue_key& key,
                                               const std::string& id) override;
  [[nodiscard]] bool update_claim(const queue_key& key, const std::string& id,
                                  claim_terms terms) override;
  void delete_claim(const queue_key& key, const std::string& id) override;

  [[nodiscard]] std::optional<std::string> create_subscription(
      const queue_key& key, const new_subscription& made) override;
  [[nodiscard]] std::vector<subscription> list_subscriptions(const queue_key& key,
                                                             const std::string& after,
                                                             std::int64_t limit) override;
  [[nodiscard]] std::optional<subscription> get_subscription(const queue_key& key,
                                                             const std::string& id) override;
  [[nodiscard]] change_outcome change_subscription(const queue_key& key, const std::string& id,
                                                   const subscription_change& change) override;
  [[nodiscard]] bool confirm_subscription(const queue_key& key, const std::string& id,
                                          bool confirmed) override;
  void delete_subscription(const queue_key& key, const std::string& id) override;
  void purge_subscriptions(const queue_key& key) override;
  void forget_subscribers(const std::string& beginning) override;

  void try_to_write() override;
  [[nodiscard]] bool has_room() override;
  void make_room() noexcept override;
  std::int64_t sweep(std::int64_t limit) override;

 private:
  [[nodiscard]] std::optional<std::int64_t> queue_id(const queue_key& key);
  [[nodiscard]] std::int64_t made_queue_id(const queue_key& key);
  [[nodiscard]] message read_message(const sqlite::query& row) const;
  [[nodiscard]] std::optional<message> end_of(std::int64_t queue, bool newest);
  // True: reading what lives by its end of life is cheaper than going past what has expired.
  [[nodiscard]] bool mostly_expired(std::int64_t queue);
  [[nodiscard]] std::vector<message> free_messages(std::int64_t queue, std::int64_t limit);
  [[nodiscard]] std::vector<message> claimed_messages(const std::string& claim_id);
  [[nodiscard]] bool claim_lives(std::int64_t queue, const std::string& id);
  // Stretches a message that would not outlive its claim and grace.
  void hold(const message& held, const std::string& claim_id, claim_terms terms);
  // Of those that may be claimed; deals with the others as the rule says.
  [[nodiscard]] std::vector<message> claimable(const queue_key& key, std::int64_t queue,
                                               std::int64_t limit,
                                               const std::optional<dead_letter_rule>& rule);
  void bury(const queue_key& key, const message& dead, const dead_letter_rule& rule);
  [[nodiscard]] std::int64_t sweep_deleted_queue(std::int64_t limit);
  [[nodiscard]] std::vector<queue_summary> count_queues_and_messages(std::int64_t limit);
  void count_claims(census& into, std::int64_t limit);
  void count_subscriptions(census& into);
  // What every reading member sees as the time until the next one is called.
  void look_at_clock() { now_ = clock_->now(); }

  sqlite::database database_;
  std::optional<sqlite::reserve> reserve_;
  std::optional<sqlite::message_clock> clock_;
  std::int64_t now_ = 0;
};

}  // namespace queue_server
