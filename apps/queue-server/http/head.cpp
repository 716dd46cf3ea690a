#include "http/head.hpp"

#include <algorithm>
#include <cctype>

namespace queue_server::http {

namespace beast = boost::beast;

namespace {

using known_field = beast::http::field;

std::ptrdiff_t count(const beast::http::fields& fields, beast::string_view name) {
  const auto [first, last] = fields.equal_range(name);
  return std::distance(first, last);
}

bool is_number(beast::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
    return std::isdigit(letter) != 0;
  });
}

// Why the length of the body is in doubt.
const char* doubt_of_length(const beast::http::request_header<beast::http::fields>& head) {
  const auto codings = count(head, "Transfer-Encoding");
  const auto lengths = count(head, "Content-Length");
  if (codings > 0 && lengths > 0) return "Content-Length and Transfer-Encoding exclude each other.";
  if (lengths > 1) return "There is more than one Content-Length.";
  if (lengths == 1 && !is_number(head[known_field::content_length])) {
    return "Content-Length is not a number.";
  }
  if (codings == 0) return nullptr;
  if (head.version() < 11) return "Transfer-Encoding is not for HTTP/1.0.";
  if (codings > 1 || !beast::iequals(head[known_field::transfer_encoding], "chunked")) {
    return "Transfer-Encoding must be chunked and nothing else.";
  }
  return nullptr;
}

// Why it is in doubt who is asked, or who asks.
const char* doubt_of_identity(const beast::http::request_header<beast::http::fields>& head) {
  const auto hosts = count(head, "Host");
  if (hosts > 1) return "There is more than one Host.";
  if (hosts == 0 && head.version() >= 11) return "The header Host is required.";
  for (const char* name : {"Client-ID", "X-Project-Id", "X-Auth-Token", "URL-Signature",
                           "URL-Expires", "URL-Methods", "URL-Paths", "Content-Type"}) {
    if (count(head, name) > 1) return "A header that must be there once is there twice.";
  }
  return nullptr;
}

}  // namespace

std::optional<reply> wrong_head(const beast::http::request_header<beast::http::fields>& head) {
  const char* doubt = doubt_of_length(head);
  if (doubt == nullptr) doubt = doubt_of_identity(head);
  if (doubt == nullptr) return std::nullopt;
  return error_reply(400, "Bad request", doubt);
}

std::optional<std::string> field(const beast::http::fields& fields, beast::string_view name) {
  const auto found = fields.find(name);
  if (found == fields.end()) return std::nullopt;
  return std::string(found->value());
}

request request_of(const beast::http::request_header<beast::http::fields>& head) {
  request asked;
  asked.method = std::string(head.method_string());
  asked.target = std::string(head.target());
  asked.client_id = queue_server::http::field(head, "Client-ID");
  asked.project_id = queue_server::http::field(head, "X-Project-Id");
  asked.accept = queue_server::http::field(head, "Accept");
  asked.content_type = queue_server::http::field(head, "Content-Type");
  if (auto signature = queue_server::http::field(head, "URL-Signature")) {
    const auto text = [&head](const char* name) {
      return queue_server::http::field(head, name).value_or("");
    };
    asked.signature = signed_claim{std::move(*signature), text("URL-Expires"), text("URL-Methods"),
                                   text("URL-Paths")};
  }
  return asked;
}

}  // namespace queue_server::http
