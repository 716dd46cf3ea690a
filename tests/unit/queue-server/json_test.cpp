#include <api/errors.hpp>
#include <api/json.hpp>
#include <api/limits.hpp>

#include <gtest/gtest.h>

namespace queue_server {
namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(parse_json, keeps_what_json_can_say) {
  for (const char* text : {"null", "[]", R"({"a":[1,-1,1.5,"ü",true,null]})", "9223372036854775807",
                           "-9223372036854775808"}) {
    EXPECT_EQ(to_text(parse_json(text)), text);
  }
}

TEST(parse_json, refuses_what_is_not_json) {
  for (const char* text : {"", "{", "nul", "[1,]", "{\"a\":}", "\"\xff\"", "1 2", "[1]]"}) {
    EXPECT_THROW(static_cast<void>(parse_json(text)), api_error) << text;
  }
}

TEST(parse_json, refuses_integers_beyond_64_bits) {
  for (const char* text : {"9223372036854775808", "18446744073709551616", "-9223372036854775809",
                           "100000000000000000000000000", "[{\"a\":9223372036854775808}]"}) {
    EXPECT_THROW(static_cast<void>(parse_json(text)), api_error) << text;
  }
  EXPECT_EQ(parse_json("1e300").get<double>(), 1e300);
}

TEST(parse_json, bounds_nesting) {
  EXPECT_NO_THROW(static_cast<void>(parse_json(nested(limits::json_depth))));
  EXPECT_THROW(static_cast<void>(parse_json(nested(limits::json_depth + 1))), api_error);
  EXPECT_THROW(static_cast<void>(parse_json(nested(1'000'000))), api_error);
}

TEST(parse_message_pack, gives_back_what_was_packed) {
  const json document = {{"a", {1, -1, 1.5, "ü", true, nullptr}}, {"b", json::object()}};
  EXPECT_EQ(parse_message_pack(to_message_pack(document)), document);
}

TEST(parse_message_pack, refuses_what_json_can_not_hold) {
  const std::string_view binary("\xc4\x02\x00\xff", 4);
  const std::string_view extension("\xd4\x01\x00", 3);
  const std::string_view not_utf8("\xa1\xff", 2);
  const std::string_view not_utf8_key("\x81\xa1\xff\x01", 4);
  const std::string_view too_large("\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
  const std::string_view cut("\x93\x01", 2);
  const std::string_view promises_too_much("\xdd\xff\xff\xff\xff\x01", 6);
  for (const auto bytes : {binary, extension, not_utf8, not_utf8_key, too_large, cut,
                           promises_too_much, std::string_view()}) {
    EXPECT_THROW(static_cast<void>(parse_message_pack(bytes)), api_error);
  }
  EXPECT_THROW(static_cast<void>(parse_message_pack(std::string(1'000'000, '\x91'))), api_error);
}

}  // namespace
}  // namespace queue_server
