#include "api/json.hpp"

#include <algorithm>

#include "api/errors.hpp"
#include "api/limits.hpp"

namespace queue_server {

namespace {

constexpr std::uint64_t largest_integer = std::numeric_limits<std::int64_t>::max();

// Sees a document go by before it is built, so that hostile nesting is refused before anything
// recurses over it.
class bounds_check final : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t number) override {
    return number <= largest_integer || refuse("JSON contains integer that is too large.");
  }
  bool number_float(number_float_t, const string_t& written) override {
    // An integer that is too large for the parser arrives here as well.
    const bool integer = !written.empty() && written.find_first_of(".eE") == string_t::npos;
    return !integer || refuse("JSON contains integer that is too large.");
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return refuse("Binary values can't be stored as JSON."); }
  bool start_object(std::size_t) override { return deeper(); }
  bool key(string_t&) override { return true; }
  bool end_object() override { return shallower(); }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override { return shallower(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }

 private:
  bool refuse(const char* why) {
    complaint_ = why;
    return false;
  }
  bool deeper() {
    return ++depth_ <= limits::json_depth || refuse("The document is nested too deeply.");
  }
  bool shallower() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  std::string complaint_ = "Request body could not be parsed.";
};

json parse(std::string_view bytes, json::input_format_t format) {
  bounds_check check;
  if (!json::sax_parse(bytes.begin(), bytes.end(), &check, format)) {
    throw invalid_body(check.complaint());
  }
  try {
    if (format == json::input_format_t::msgpack) {
      json document = json::from_msgpack(bytes.begin(), bytes.end());
      static_cast<void>(document.dump());  // throws where a text is not UTF-8
      return document;
    }
    return json::parse(bytes.begin(), bytes.end());
  } catch (const json::exception&) {
    throw invalid_body(check.complaint());
  }
}

}  // namespace

json parse_json(std::string_view text) {
  return parse(text, json::input_format_t::json);
}

json parse_message_pack(std::string_view bytes) {
  return parse(bytes, json::input_format_t::msgpack);
}

json stored_json(const std::string& text) {
  return json::parse(text);
}

std::string to_text(const json& document) {
  return document.dump();
}

std::string to_message_pack(const json& document) {
  const std::vector<std::uint8_t> packed = json::to_msgpack(document);
  return {packed.begin(), packed.end()};
}

}  // namespace queue_server
