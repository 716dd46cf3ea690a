#include "socket/response.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>

namespace gmr::sockets {
namespace {

namespace http = boost::beast::http;
using head_message = http::response<http::empty_body>;

std::string text_of(head_message& head) {
  std::string out;
  http::serializer<false, http::empty_body> pieces{head};
  boost::system::error_code error;
  while (!pieces.is_header_done() && !error) {
    pieces.next(error, [&](boost::system::error_code&, const auto& buffers) {
      std::size_t size = 0;
      for (const boost::asio::const_buffer each : boost::beast::buffers_range_ref(buffers)) {
        out.append(static_cast<const char*>(each.data()), each.size());
        size += each.size();
      }
      pieces.consume(size);
    });
  }
  return out;
}

// Each connection is for one request: who asks does so now and then.
response made(head_message& head, std::shared_ptr<const std::string> body,
              std::string_view content_type) {
  head.set(http::field::content_type, content_type);
  head.set(http::field::cache_control, "no-store");
  head.keep_alive(false);
  head.content_length(body->size());
  return {.head = text_of(head), .body = std::move(body)};
}

}  // namespace

response answer(std::shared_ptr<const std::string> body, std::string_view content_type) {
  head_message head{http::status::ok, 11};
  return made(head, std::move(body), content_type);
}

response refuse(unsigned status, std::string_view line) {
  head_message head;
  head.version(11);
  head.result(status);
  if (status == static_cast<unsigned>(http::status::service_unavailable))
    head.set(http::field::retry_after, "1");
  if (status == static_cast<unsigned>(http::status::method_not_allowed))
    head.set(http::field::allow, "GET");
  return made(head, std::make_shared<const std::string>(std::string{line} + '\n'), plain_text);
}

}  // namespace gmr::sockets
