#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "explain/output.hpp"

namespace gmr_command::explanations {
namespace {

using nlohmann::ordered_json;
using reports::series;

template <class Value>
ordered_json or_null(const std::optional<Value>& from) {
  return from ? ordered_json(*from) : ordered_json(nullptr);
}

ordered_json or_null(const std::string& from) {
  return from.empty() ? ordered_json(nullptr) : ordered_json(from);
}

ordered_json rounded(const std::optional<double>& seconds) {
  constexpr double thousandth = 1000;
  return seconds ? ordered_json(std::round(*seconds * thousandth) / thousandth)
                 : ordered_json(nullptr);
}

ordered_json json_of(const std::optional<reports::frame>& at) {
  if (!at) return nullptr;
  return {{"function", or_null(at->function)},
          {"file", or_null(at->file)},
          {"line", at->line > 0 ? ordered_json(at->line) : ordered_json(nullptr)}};
}

ordered_json json_of(const suspect& each) {
  ordered_json made{{"kind", word(each.kind)},
                    {"text", each.text},
                    {"thread", or_null(each.thread)},
                    {"thread_name", or_null(each.thread_name)},
                    {"green_thread", or_null(each.green_thread)},
                    {"frame", json_of(each.at)},
                    {"lock", nullptr},
                    {"peer", or_null(each.peer)},
                    {"descriptor", or_null(each.descriptor)},
                    {"descriptors", nullptr},
                    {"since_seconds", rounded(each.since_seconds)},
                    {"threads", each.threads},
                    {"evidence", each.evidence}};
  if (each.lock)
    made["lock"] = {{"kind", each.lock->kind},
                    {"address", or_null(each.lock->address)},
                    {"holder", or_null(each.lock->holder)}};
  if (each.leaked)
    made["descriptors"] = {{"count", each.leaked->count},
                           {"limit", or_null(each.leaked->limit)},
                           {"growth", each.leaked->growth},
                           {"newest", or_null(each.leaked->newest)}};
  return made;
}

ordered_json json_of(const std::vector<place>& places) {
  ordered_json all = ordered_json::array();
  for (const place& each : places)
    all.push_back({{"thread", or_null(each.thread)},
                   {"green_thread", or_null(each.green_thread)},
                   {"name", or_null(each.name)},
                   {"count", each.count},
                   {"frame", json_of(each.at)},
                   {"waits_for",
                    each.waits_for ? ordered_json(each.waits_for->kind) : ordered_json(nullptr)}});
  return all;
}

}  // namespace

void print_json(std::ostream& to, const series& compared, const explanation& made) {
  ordered_json whole{{"verdict", made.verdict},
                     {"summary", made.summary},
                     {"reports", compared.all().size()},
                     {"seconds", rounded(compared.seconds())},
                     {"pid", compared.last().process.pid},
                     {"not_seen", made.not_seen},
                     {"suspects", ordered_json::array()},
                     {"stuck", json_of(made.stuck)},
                     {"moved", json_of(made.moved)},
                     {"growing", ordered_json::array()},
                     {"cpu", ordered_json::array()}};
  for (const suspect& each : made.suspects)
    whole["suspects"].push_back(json_of(each));
  for (const change& each : made.growing)
    whole["growing"].push_back({{"what", each.what}, {"from", each.from}, {"to", each.to}});
  for (const usage& each : made.cpu)
    whole["cpu"].push_back({{"thread", each.thread},
                            {"name", each.name},
                            {"seconds", rounded(each.seconds)},
                            {"percent", rounded(each.percent)}});
  // What is not UTF-8 in a report has been replaced there; a damaged one is no reason to end.
  to << whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

}  // namespace gmr_command::explanations
