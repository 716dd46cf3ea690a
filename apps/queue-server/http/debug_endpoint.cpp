#include "http/debug_endpoint.hpp"

#include <boost/url.hpp>
#include <charconv>

#include "debug.hpp"

namespace queue_server::http {

namespace {

std::string parameter(const boost::urls::url_view& url, const char* name) {
  const auto parameters = url.params();
  const auto found = parameters.find(name);
  return found == parameters.end() ? std::string() : std::string((*found).value);
}

}  // namespace

bool is_debug_target(std::string_view target) {
  return target.starts_with("/debug/");
}

reply serve_debug(std::string_view method, std::string_view target) {
  const auto url = boost::urls::parse_origin_form(target);
  if (!url || url->path() != "/debug/block") {
    return error_reply(404, "Not found", "Only /debug/block is here.");
  }
  if (method != "POST") {
    reply told = error_reply(405, "Method not allowed", "Allowed here: POST");
    told.headers.emplace_back("Allow", "POST");
    return told;
  }
  const std::string seconds_text = parameter(*url, "seconds");
  const auto kind = debug::block_kind_from(parameter(*url, "how"));
  double seconds = 0;
  const char* end = seconds_text.data() + seconds_text.size();
  const auto [read_to, failure] = std::from_chars(seconds_text.data(), end, seconds);
  if (failure != std::errc{} || read_to != end || !(seconds > 0) ||
      seconds > static_cast<double>(debug::longest_block.count()) || !kind) {
    return error_reply(400, "Invalid API request",
                       "Give seconds, above 0 and at most " +
                           std::to_string(debug::longest_block.count()) +
                           ", and how: mutex, sleep or spin.");
  }
  debug::block(*kind, std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  return {204, {}, {}, {}};
}

}  // namespace queue_server::http
