// What must hold for the head of a request before its body is read, so that this server and a proxy
// before it always agree where a request ends and whose it is.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <optional>

#include "http/api.hpp"

namespace queue_server::http {

// The refusal, after which the connection must be closed; nothing when all is well.
[[nodiscard]] std::optional<reply> wrong_head(
    const boost::beast::http::request_header<boost::beast::http::fields>& head);

// The field's value; nothing when it is not there.
[[nodiscard]] std::optional<std::string> field(const boost::beast::http::fields& fields,
                                               boost::beast::string_view name);

// What the verbs need of a request; the body is left to the caller.
[[nodiscard]] request request_of(
    const boost::beast::http::request_header<boost::beast::http::fields>& head);

}  // namespace queue_server::http
