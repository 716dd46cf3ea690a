// The verbs of claims.
#include "verbs/command.hpp"
#include "verbs/errors.hpp"
#include "verbs/metadata.hpp"

namespace queue_server::verbs {

namespace {

api_error no_claim(const std::string& id) {
  return not_found("Claim " + id + " does not exist or has expired.");
}

}  // namespace

command claim_create(const arguments& asked) {
  const claim_terms terms = checked_claim_terms(asked.allowed, asked.fields);
  const std::int64_t limit = asked.page(asked.allowed.max_messages_per_claim_or_pop);
  return writing(asked, [queue = asked.queue(), terms, limit](engine& data) {
    const auto rule = dead_letters_of(data.queue_metadata(queue));
    return results::claim_created{queue.name, data.create_claim(queue, terms, limit, rule)};
  });
}

command claim_get(const arguments& asked) {
  return reading(asked, [queue = asked.queue(), id = asked.text("claim_id")](engine& data) {
    auto found = data.get_claim(queue, id);
    if (!found) throw no_claim(id);
    return results::claim_found{queue.name, std::move(*found)};
  });
}

command claim_update(const arguments& asked) {
  const claim_terms terms = checked_claim_terms(asked.allowed, asked.fields);
  return writing(asked, [queue = asked.queue(), id = asked.text("claim_id"), terms](engine& data) {
    if (!data.update_claim(queue, id, terms)) throw no_claim(id);
    return results::claim_updated{id};
  });
}

command claim_delete(const arguments& asked) {
  return writing(asked, [queue = asked.queue(), id = asked.text("claim_id")](engine& data) {
    data.delete_claim(queue, id);
    return results::claim_deleted{id};
  });
}

}  // namespace queue_server::verbs
