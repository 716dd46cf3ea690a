// The verbs that are about this server.
#include "verbs/command.hpp"

namespace queue_server::verbs {

command ping_node(const arguments&) {
  return {access::health, {}, {}, results::pinged{}, false};
}

command check_node_health(const arguments&) {
  return {access::health, {}, {}, results::health{}, false};
}

command get_home_doc(const arguments&) {
  return at_once(results::home{});
}

command authenticate(const arguments&) {
  // There is nothing to prove: who can reach the server may use it.
  return at_once(results::authenticated{});
}

}  // namespace queue_server::verbs
