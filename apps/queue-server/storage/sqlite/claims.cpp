// Claims: a consumer's hold on messages, until it deletes them, lets go, or the claim expires.
#include <algorithm>

#include "storage/sqlite/store.hpp"

namespace queue_server {

void store::hold(const message& held, const std::string& claim_id, claim_terms terms) {
  const std::int64_t lifetime = terms.ttl + terms.grace;
  const std::int64_t needed = now_ + lifetime * milliseconds_a_second;
  database_.run(
      "UPDATE messages SET claim = ?2, claim_expires = ?3, claim_count = claim_count + 1, "
      "ttl = CASE WHEN expires < ?4 THEN ?5 ELSE ttl END, expires = max(expires, ?4) "
      "WHERE marker = ?1",
      held.marker, claim_id, now_ + terms.ttl * milliseconds_a_second, needed, lifetime);
}

void store::bury(const queue_key& key, const message& dead, const dead_letter_rule& rule) {
  if (rule.queue.empty()) {
    database_.run("DELETE FROM messages WHERE marker = ?1", dead.marker);
    return;
  }
  const std::int64_t grave = made_queue_id({key.project, rule.queue});
  database_.run(
      "UPDATE messages SET queue = ?2, claim = NULL, claim_expires = 0, claim_count = 0, "
      "ttl = coalesce(?3, ttl), expires = CASE WHEN ?3 IS NULL THEN expires ELSE ?4 END "
      "WHERE marker = ?1",
      dead.marker, grave, rule.ttl, now_ + rule.ttl.value_or(0) * milliseconds_a_second);
}

std::vector<message> store::claimable(const queue_key& key, std::int64_t queue, std::int64_t limit,
                                      const std::optional<dead_letter_rule>& rule) {
  std::vector<message> free = free_messages(queue, limit);
  // Each round makes the queue shorter; a bound all the same, as others wait.
  for (int round = 0; rule && round < 10; ++round) {
    const auto spent = [&rule](const message& each) {
      return each.claim_count >= rule->most_claims;
    };
    if (std::none_of(free.begin(), free.end(), spent)) return free;
    for (const message& each : free) {
      if (spent(each)) bury(key, each, *rule);
    }
    free = free_messages(queue, limit);
  }
  if (rule) {
    std::erase_if(free,
                  [&rule](const message& each) { return each.claim_count >= rule->most_claims; });
  }
  return free;
}

claim store::create_claim(const queue_key& key, claim_terms terms, std::int64_t limit,
                          const std::optional<dead_letter_rule>& rule) {
  look_at_clock();
  claim made;
  const auto queue = queue_id(key);
  if (!queue) return made;
  const std::vector<message> free = claimable(key, *queue, limit, rule);
  if (free.empty()) return made;
  made.id = new_id();
  made.ttl = terms.ttl;
  database_.run("INSERT INTO claims (id, queue, ttl, created, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
                made.id, *queue, terms.ttl, now_, now_ + terms.ttl * milliseconds_a_second);
  for (const message& held : free)
    hold(held, made.id, terms);
  made.messages = claimed_messages(made.id);
  return made;
}

bool store::claim_lives(std::int64_t queue, const std::string& id) {
  auto row = database_.prepare("SELECT 1 FROM claims WHERE id = ?1 AND queue = ?2 AND expires > ?3",
                               id, queue, now_);
  return row.step();
}

std::optional<claim> store::get_claim(const queue_key& key, const std::string& id) {
  look_at_clock();
  const auto queue = queue_id(key);
  if (!queue) return std::nullopt;
  claim found;
  {
    auto row = database_.prepare(
        "SELECT ttl, created FROM claims WHERE id = ?1 AND queue = ?2 AND expires > ?3", id, *queue,
        now_);
    if (!row.step()) return std::nullopt;
    found.id = id;
    found.ttl = row.integer(0);
    found.age = (now_ - row.integer(1)) / milliseconds_a_second;
  }
  found.messages = claimed_messages(id);
  return found;
}

bool store::update_claim(const queue_key& key, const std::string& id, claim_terms terms) {
  look_at_clock();
  const auto queue = queue_id(key);
  if (!queue || !claim_lives(*queue, id)) return false;
  const std::int64_t lifetime = terms.ttl + terms.grace;
  const std::int64_t ends = now_ + terms.ttl * milliseconds_a_second;
  // Age starts again, as the claim's time to live does.
  database_.run("UPDATE claims SET ttl = ?2, created = ?3, expires = ?4 WHERE id = ?1", id,
                terms.ttl, now_, ends);
  database_.run(
      "UPDATE messages SET ttl = CASE WHEN expires < ?3 THEN ?4 ELSE ttl END, "
      "expires = max(expires, ?3), claim_expires = ?2 WHERE claim = ?1 AND claim_expires > ?5",
      id, ends, now_ + lifetime * milliseconds_a_second, lifetime, now_);
  return true;
}

void store::delete_claim(const queue_key& key, const std::string& id) {
  look_at_clock();
  const auto queue = queue_id(key);
  if (!queue || !claim_lives(*queue, id)) return;
  database_.run("UPDATE messages SET claim = NULL, claim_expires = 0 WHERE claim = ?1", id);
  database_.run("DELETE FROM claims WHERE id = ?1", id);
}

}  // namespace queue_server
