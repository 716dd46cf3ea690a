#include <gtest/gtest.h>
#include <verbs/json.hpp>
#include <verbs/signing.hpp>
#include <websocket/api.hpp>

#include "served.hpp"

namespace queue_server {
namespace {

using websocket::encoding;

class websocket_api_test : public testing::Test {
 protected:
  static json request(const std::string& action, json body = json::object()) {
    return {{"action", action},
            {"headers", {{"client-id", "3381af922b9e11e3b19171861300734c"}, {"X-PROJECT-ID", "p"}}},
            {"body", std::move(body)}};
  }
  operation prepare(std::string_view message, encoding form) {
    return websocket::prepare(message, form, server_.allowed()).work;
  }
  json ask(const json& asked) {
    return json::parse(server_.run(prepare(asked.dump(), encoding::json)).body);
  }

  served server_;
};

TEST_F(websocket_api_test, answers_repeat_the_request) {
  const json asked = request("queue_create", {{"queue_name", "q"}});
  const json answer = ask(asked);
  EXPECT_EQ(answer["headers"]["status"], 201);
  for (const char* part : {"action", "headers", "body"}) {
    EXPECT_EQ(answer["request"][part], asked[part]);
  }
  EXPECT_EQ(answer["request"]["api"], "v2");
}

TEST_F(websocket_api_test, packed_requests_get_packed_answers) {
  const json asked = request("queue_list");
  const reply answer = server_.run(prepare(to_message_pack(asked), encoding::message_pack));
  EXPECT_EQ(parse_message_pack(answer.body)["body"]["queues"], json::array());
}

TEST_F(websocket_api_test, what_is_no_request_is_answered_all_the_same) {
  for (const char* text : {"", "{", "[]", "null", "\"x\"", R"({"action":{}})", R"({"action":"x"})",
                           R"({"action":"queue_list","body":[]})"}) {
    const reply answer = server_.run(prepare(text, encoding::json));
    EXPECT_EQ(json::parse(answer.body)["headers"]["status"], 400) << text;
  }
}

TEST_F(websocket_api_test, errors_are_those_of_zaqar) {
  const auto error_of = [this](std::string_view message, encoding form) {
    const reply answer = server_.run(prepare(message, form));
    const json shown =
        form == encoding::json ? json::parse(answer.body) : parse_message_pack(answer.body);
    return shown["body"]["error"].get<std::string>();
  };
  EXPECT_TRUE(error_of("{", encoding::json).starts_with("Can't decode text (JSON) request"));
  EXPECT_TRUE(error_of("\xc1", encoding::message_pack)
                  .starts_with("Can't decode binary (MessagePack) request"));
  EXPECT_EQ(error_of("[]", encoding::json), "Schema validation failed.");
  EXPECT_EQ(error_of(R"({"action": "dance"})", encoding::json), "dance is not a valid action");
}

TEST_F(websocket_api_test, a_signature_allows_what_was_signed) {
  const auto status_of = [this](const json& asked) {
    return ask(asked)["headers"]["status"].get<int>();
  };
  ask(request("message_post", {{"queue_name", "q"}, {"messages", {{{"body", 1}}}}}));
  signed_claim claim{{}, "2999-01-01T00:00:00", "GET", "/v2/queues/q/messages"};
  claim.signature = sign(server_.allowed(), "p", claim);
  const auto signed_request = [&claim](const char* action, json body) {
    json asked = request(action, std::move(body));
    asked["headers"].update({{"URL-Signature", claim.signature},
                             {"URL-Expires", claim.expires},
                             {"URL-Methods", json::array({claim.methods})},
                             {"URL-Paths", json::array({claim.paths})}});
    return asked;
  };
  EXPECT_EQ(status_of(signed_request("message_list", {{"queue_name", "q"}})), 200);
  EXPECT_EQ(status_of(signed_request("message_list", {{"queue_name", "other"}})), 403);
  EXPECT_EQ(status_of(signed_request("message_delete_many", {{"queue_name", "q"}, {"pop", 1}})),
            403);
  EXPECT_EQ(status_of(signed_request("queue_get", {{"queue_name", "q"}})), 403);
  EXPECT_EQ(status_of(signed_request("queue_list", json::object())), 403);
  claim.signature = std::string(64, '0');
  EXPECT_EQ(status_of(signed_request("message_list", {{"queue_name", "q"}})), 403);
  claim.expires.clear();
  EXPECT_EQ(status_of(signed_request("message_list", {{"queue_name", "q"}})), 400);
}

TEST_F(websocket_api_test, a_client_can_subscribe_itself_and_name_no_other) {
  const auto subscribe = [this](const json& body) {
    const std::string text = request("subscription_create", body).dump();
    const auto made = websocket::prepare(text, encoding::json, server_.allowed(), "websocket:0:me");
    EXPECT_EQ(made.subscribes, !body.contains("subscriber"));
    return json::parse(server_.run(made.work).body)["headers"]["status"].get<int>();
  };
  EXPECT_EQ(subscribe({{"queue_name", "q"}}), 201);
  EXPECT_EQ(subscribe({{"queue_name", "q"}}), 409);
  EXPECT_EQ(subscribe({{"queue_name", "q"}, {"subscriber", "websocket:0:you"}}), 400);
  const auto found = server_.data().list_subscriptions({"p", "q"}, "", 10);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().subscriber, "websocket:0:me");
  EXPECT_TRUE(found.front().confirmed);
  server_.data().forget_subscribers("websocket:1:");
  EXPECT_EQ(server_.data().list_subscriptions({"p", "q"}, "", 10).size(), 1U);
  server_.data().forget_subscribers("websocket:0:");
  EXPECT_EQ(server_.data().list_subscriptions({"p", "q"}, "", 10).size(), 0U);
}

TEST_F(websocket_api_test, a_storage_that_fails_is_503) {
  const operation work = prepare(request("queue_list").dump(), encoding::json);
  const json answer =
      json::parse(work.answer(std::make_exception_ptr(sqlite::error(13, "disk is full"))).body);
  EXPECT_EQ(answer["headers"]["status"], 503);
  EXPECT_EQ(answer["request"]["action"], "queue_list");
}

TEST_F(websocket_api_test, a_post_is_all_or_nothing_in_size) {
  const json large = {{{"body", std::string(262144, 'x')}}};
  EXPECT_EQ(
      ask(request("message_post", {{"queue_name", "q"}, {"messages", large}}))["headers"]["status"],
      400);
  EXPECT_EQ(server_.data().stats({"p", "q"}).total, 0);
}

}  // namespace
}  // namespace queue_server
