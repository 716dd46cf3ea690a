#include <algorithm>
#include <map>

#include "explain/rules.hpp"
#include "reports/stacks.hpp"
#include "reports/words.hpp"

namespace gmr_command::explanations {
namespace {

using reports::series;
using reports::thread;

bool waits_for_holder(const thread& of) {
  return of.waits_for && of.waits_for->owner && of.waits_for->kind != "join";
}

struct chain {
  const thread* root = nullptr;  // the holder that waits for nobody; null when it has ended
  const thread* last_waiter = nullptr;
};

// Follows holders from a waiter to the one that keeps all of them waiting. A circle ends it, too.
chain follow(const series& compared, const thread& waiter) {
  chain found{.root = &waiter, .last_waiter = &waiter};
  for (std::size_t steps = 0; steps < compared.last().threads.size(); ++steps) {
    if (found.root == nullptr || !waits_for_holder(*found.root)) break;
    found.last_waiter = found.root;
    found.root = compared.now(*found.root->waits_for->owner);
  }
  return found;
}

std::string does_what(const series& compared, const thread& root) {
  std::string text = compared.stood_still(root) ? "has stood still " : "is ";
  text += "in " + place_text(reports::innermost_own(root.frames));
  if (root.waits_for) text += ", waiting for " + wait_text(*root.waits_for);
  return text;
}

suspect holder_suspect(const series& compared, const chain& found) {
  const thread& waiter = *found.last_waiter;
  const reports::wait& waits = *waiter.waits_for;
  suspect made = suspect_of(suspect_kind::lock_held, found.root == nullptr ? waiter : *found.root);
  made.lock = lock{waits.address, waits.kind, waits.owner};
  made.since_seconds = compared.still_for(waiter);
  if (found.root == nullptr) {
    made.text = "The thread that holds " + waits.kind + ' ' + waits.address +
                " is not there any more: nobody can give it back.";
    return made;
  }
  const std::string name = name_of(*found.root);
  made.text = name + " holds " + waits.kind + ' ' + waits.address +
              " and does not give it back: it is in " +
              place_text(reports::innermost_own(found.root->frames)) + '.';
  made.text.front() = 'T';
  made.evidence.push_back(name + ' ' + does_what(compared, *found.root));
  return made;
}

}  // namespace

void find_held_locks(const series& compared, suspects& found) {
  std::map<const thread*, suspect> by_root;
  for (const thread& waiter : compared.last().threads) {
    if (!waits_for_holder(waiter) || !compared.stood_still(waiter)) continue;
    if (explains(found, waiter.id)) continue;
    const chain way = follow(compared, waiter);
    // A holder that goes on is overtaken by others: that is a convoy, and not its fault.
    if (way.root != nullptr && explains(found, way.root->id)) continue;
    auto [made, is_new] = by_root.try_emplace(way.root);
    if (is_new) made->second = holder_suspect(compared, way);
    made->second.threads.push_back(waiter.id);
    made->second.evidence.push_back(name_of(waiter) + " has waited for it for " +
                                    reports::seconds_text(compared.still_for(waiter)) +
                                    " or more in " +
                                    place_text(reports::innermost_own(waiter.frames)));
  }
  for (auto& [root, made] : by_root)
    found.push_back(std::move(made));
}

}  // namespace gmr_command::explanations
