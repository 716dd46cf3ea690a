#include "socket/orders.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>

#include "model/words.hpp"
#include "text/printable.hpp"

namespace gmr::sockets {
namespace {

using boost::urls::url_view;

constexpr std::string_view resources = "there are /report and /metrics";

refusal not_acceptable(std::string_view parameter, std::string_view given,
                       const std::string& allowed) {
  return {.status = 400,
          .line = texts::printable(parameter) + ": '" + texts::printable(given) +
                  "' is not acceptable: " + allowed};
}

template <class Words, class Enumeration>
std::optional<refusal> read_choice(std::string_view name, const std::string& given,
                                   const Words& words, Enumeration& to) {
  const auto found = std::ranges::find(words, std::string_view{given}, &Words::value_type::word);
  if (found == words.end()) return not_acceptable(name, given, choices_text(words));
  to = found->meaning;
  return std::nullopt;
}

std::string all_part_names() {
  std::string names;
  for (const outlines::part each : outlines::parts)
    names.append(names.empty() ? "" : ", ").append(to_string(each));
  return names;
}

// "threads,green_threads"
std::optional<refusal> read_parts(std::string_view given, outlines::part_set& to) {
  to.reset();
  for (std::string_view rest = given;;) {
    const std::string_view name = rest.substr(0, rest.find(','));
    const auto found = std::ranges::find(outlines::parts, name,
                                         [](outlines::part each) { return to_string(each); });
    if (found == outlines::parts.end())
      return not_acceptable("sections", name,
                            "some of " + all_part_names() + " are needed, ',' between them");
    to.set(static_cast<std::size_t>(*found));
    if (name.size() == rest.size()) return std::nullopt;
    rest.remove_prefix(name.size() + 1);
  }
}

std::optional<refusal> read_parameter(const std::string& name, const std::string& given,
                                      report_order& to) {
  if (name == "format") return read_choice(name, given, format_words, to.format);
  if (name == "list") return read_choice(name, given, list_words, to.shape.list);
  if (name == "order") return read_choice(name, given, order_words, to.shape.order);
  if (name == "sections") return read_parts(given, to.shape.parts);
  return refusal{.status = 400,
                 .line = "'" + texts::printable(name) +
                         "' is no parameter: one of format, list, order, sections is needed"};
}

order read_report_order(const url_view& target, const report_order& usual) {
  report_order wanted = usual;
  for (const auto& parameter : target.params())
    if (auto refused = read_parameter(parameter.key, parameter.value, wanted)) return *refused;
  return wanted;
}

}  // namespace

order read_target(std::string_view target, const report_order& usual) {
  const auto parsed = boost::urls::parse_origin_form({target.data(), target.size()});
  if (!parsed)
    return refusal{.status = 400,
                   .line = "'" + texts::printable(target) +
                           "' is no target of a request: " + std::string{resources}};
  const std::string path = parsed->path();
  if (path == "/report") return read_report_order(*parsed, usual);
  if (path != "/metrics")
    return refusal{
        .status = 404,
        .line = "'" + texts::printable(path) + "' is not here: " + std::string{resources}};
  if (parsed->params().empty()) return metrics_order{};
  return refusal{.status = 400, .line = "/metrics has no parameters"};
}

}  // namespace gmr::sockets
