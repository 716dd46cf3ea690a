#include "options/masking.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options/options_description.hpp>

#include "gmr/options/options.hpp"
#include "text/masking.hpp"

namespace {

using gmr::loading::mask_arguments;
using gmr::texts::is_secret_name;
using gmr::texts::mask_line;
using gmr::texts::mask_urls;
using testing::HasSubstr;
using testing::Not;

TEST(SecretNames, AreRecognised) {
  for (const char* name : {"password",
                           "db.password",
                           "db.admin_passwd",
                           "DB_PASSWORD",
                           "client-secret",
                           "token",
                           "auth.access_token",
                           "apiKey",
                           "api_key",
                           "private-key",
                           "tls.private_key_data",
                           "aws.secret_access_key",
                           "credentials",
                           "passphrase",
                           "smtp.pwd",
                           "db.pass",
                           "session_key",
                           "secrets.database",
                           "AccountKey",
                           "sig",
                           "X-Amz-Signature"})
    EXPECT_TRUE(is_secret_name(name)) << name;
}

TEST(SecretNames, OthersAreNot) {
  for (const char* name : {"", ".", "http.port", "user", "db.uri", "keystone_authtoken.auth_url",
                           "primary_keys", "compass", "bypass", "passive", "monkey", "keyspace",
                           "design", "spine", "pinned", "log_dir"})
    EXPECT_FALSE(is_secret_name(name)) << name;
}

TEST(SecretNames, OfADescriptionAreThoseDeclared) {
  boost::program_options::options_description described;
  namespace po = boost::program_options;
  described.add_options()("a.pin", gmr::secret<int>())("a.port,P", po::value<int>())(
      "b.x,x", gmr::secret<std::string>()->default_value(""))("password,p", po::value<int>());
  EXPECT_EQ(gmr::loading::secret_option_names(described),
            (std::vector<std::string>{"a.pin", "b.x", "-x", "-p"}));
}

TEST(MaskUrls, HidesThePasswordAndNothingElse) {
  EXPECT_EQ(mask_urls("postgresql://user:hunter2@db.example:5432/orders?sslmode=require"),
            "postgresql://user:***@db.example:5432/orders?sslmode=require");
  EXPECT_EQ(mask_urls("http://u:p@[::1]:80/a%20b#top"), "http://u:***@[::1]:80/a%20b#top");
  EXPECT_EQ(mask_urls("redis://:hunter2@cache:6379/0"), "redis://:***@cache:6379/0");
  EXPECT_EQ(mask_urls("amqp://u:p%40ss%2Fword@h//"), "amqp://u:***@h//");
  EXPECT_EQ(mask_urls("mysql+pymysql://u:p:q@h/db"), "mysql+pymysql://u:***@h/db");
  EXPECT_EQ(mask_urls("jdbc:postgresql://u:p@h/db"), "jdbc:postgresql://u:***@h/db");
}

TEST(MaskUrls, KeepsWhatHasNoPassword) {
  for (const char* plain :
       {"", "plain text", "http://example.org/", "http://user@example.org/", "http://user:@h/",
        "://", "a://", "sqlite:///var/lib/x.db", "see http://h:80/x?y=z&q=1#f, or not", "C://x",
        "user:password@host", "a@b.c", "10:30 // 5 @ 7", "http://h/a:b@c",
        "https://medium.example/@user", "\xFF\xFE://\x80", "1://x:y", "http://[::1]:8080/"})
    EXPECT_EQ(mask_urls(plain), plain);
}

TEST(MaskUrls, HidesThemAllInATextOfSeveral) {
  EXPECT_EQ(mask_urls("a http://u:p@h/ b,ftp://v:q@i/x c"),
            "a http://u:***@h/ b,ftp://v:***@i/x c");
  EXPECT_EQ(mask_urls("http://u:p@h/,http://v:q@i/"), "http://u:***@h/,http://v:***@i/");
  EXPECT_EQ(mask_urls("\"http://u:p@h\"'http://v:q@i'<http://w:r@j>"),
            "\"http://u:***@h\"'http://v:***@i'<http://w:***@j>");
  EXPECT_EQ(mask_urls("http://proxy/http://u:p@h/"), "http://proxy/http://u:***@h/");
}

TEST(MaskUrls, HidesPasswordsThatWereNotEncoded) {
  for (const char* url :
       {"postgres://u:hun@ter2@h/db", "postgres://u:hun/ter2@h/db", "postgres://u:hun#ter2@h/db",
        "postgres://u:hun?ter2@h/db", "postgres://u:hun%ter2@h/db", "postgres://u:hun ter2@h/db",
        "postgres://u:hun\"ter2@h/db", "postgres://u:hun[ter2@h/db", "postgres://u:hun\\ter2@h/db",
        "mongodb://u:hunter2@h1:27017,h2:27017/db", "x://u:hun\xC3\xBCter2@h/db"}) {
    EXPECT_THAT(mask_urls(url), Not(HasSubstr("ter2"))) << url;
    EXPECT_THAT(mask_urls(url), Not(HasSubstr("hun"))) << url;
    EXPECT_THAT(mask_urls(url), HasSubstr("://u:***@h")) << url;
  }
}

TEST(MaskUrls, HidesSecretParameters) {
  EXPECT_EQ(mask_urls("https://h/x?user=a&password=hunter2&z=1"),
            "https://h/x?user=a&password=***&z=1");
  EXPECT_EQ(mask_urls("https://h/x?api%5Fkey=hunter2"), "https://h/x?api%5Fkey=***");
  EXPECT_EQ(mask_urls("https://h/x#access_token=hunter2&x=1"), "https://h/x#access_token=***&x=1");
  EXPECT_EQ(mask_urls("jdbc:sqlserver://h:1433;databaseName=d;user=u;password=hunter2;x=y"),
            "jdbc:sqlserver://h:1433;databaseName=d;user=u;password=***;x=y");
  EXPECT_EQ(mask_urls("mongodb://u:p@h1:1,h2:2/db?tlsCertificateKeyFilePassword=hunter2&w=1"),
            "mongodb://u:***@h1:1,h2:2/db?tlsCertificateKeyFilePassword=***&w=1");
  EXPECT_EQ(mask_urls("https://h/x?a={raw}&token=hunter2"), "https://h/x?a={raw}&token=***");
  EXPECT_EQ(mask_urls("https://h/x?a=1;token=hunter2&b=2"), "https://h/x?a=1;token=***&b=2");
  EXPECT_EQ(mask_urls("https://h/x?token=&b=2"), "https://h/x?token=&b=2");
}

TEST(MaskUrls, HidesUrlsInsideParameters) {
  EXPECT_EQ(mask_urls("https://h/x?next=http%3A%2F%2Fu%3Ahunter2%40i%2F&b=1"),
            "https://h/x?next=***&b=1");
  EXPECT_EQ(mask_urls("https://h/x?next=http%3A%2F%2Fi%2F&b=1"),
            "https://h/x?next=http%3A%2F%2Fi%2F&b=1");
}

// As a request's first line has it, or an option that is relative to another one.
TEST(MaskUrls, MasksTheQueryOfAUrlWithoutSchemeAndHost) {
  EXPECT_EQ(mask_urls("GET /v2/queues?limit=5&token=hunter2 HTTP/1.1"),
            "GET /v2/queues?limit=5&token=*** HTTP/1.1");
  EXPECT_EQ(mask_urls("?password=hunter2"), "?password=***");
  EXPECT_EQ(mask_urls("a?api%5Fkey=hunter2, b?sig=hunter2 http://h/?token=x /c?pwd=hunter2#d"),
            "a?api%5Fkey=*** b?sig=*** http://h/?token=*** /c?pwd=***#d");
  EXPECT_EQ(mask_urls("/login?next=%2Fa%3Ftoken%3Dhunter2&b=1"), "/login?next=***&b=1");
  for (const char* plain : {"what? no", "a?b", "/x?limit=5&marker=7", "?", "a=b?c=d"})
    EXPECT_EQ(mask_urls(plain), plain);
}

TEST(MaskLine, HidesTheValuesOfSecretNames) {
  EXPECT_EQ(mask_line("token=hunter2 user=a"), "token=*** user=a");
  EXPECT_EQ(mask_line(R"({"token": "hun\"ter2", "user": "a"})"),
            R"({"token": "***", "user": "a"})");
  EXPECT_EQ(mask_line(R"({"token":"hunter2\\","user":"a"})"), R"({"token":"***","user":"a"})");
  EXPECT_EQ(mask_line("Authorization: Bearer hunter2"), "Authorization: ***");
  EXPECT_EQ(mask_line("token=\"\" token= x"), "token=\"\" token= ***");
  for (const char* plain : {"", "=", ":", "token", "token=", R"(token:\")", "a=b"})
    EXPECT_EQ(mask_line(plain), plain);
}

TEST(MaskLine, HidesThemInJsonThatIsAValueOfJson) {
  EXPECT_EQ(mask_line(R"({"body":"{\"token\":\"hunter2\",\"user\":\"a\"}"})"),
            R"({"body":"{\"token\":\"***\",\"user\":\"a\"}"})");
  EXPECT_EQ(mask_line(R"({"body":"{\"Authorization\": \"Bearer hunter2\"}"})"),
            R"({"body":"{\"Authorization\": \"***\"}"})");
  EXPECT_EQ(mask_line(R"({"body":"{\"token\":\"hun\\\"ter2\",\"user\":\"a\"}"})"),
            R"({"body":"{\"token\":\"***\",\"user\":\"a\"}"})")
      << "a quote within the secret";
  EXPECT_EQ(mask_line(R"({"body":"{\"token\":\"hunter2\\\\\",\"user\":\"a\"}"})"),
            R"({"body":"{\"token\":\"***\",\"user\":\"a\"}"})")
      << "a backslash at its end";
  EXPECT_EQ(mask_line(R"("{\"b\":\"{\\\"token\\\":\\\"hunter2\\\",\\\"c\\\":1}\"}")"),
            R"("{\"b\":\"{\\\"token\\\":\\\"***\\\",\\\"c\\\":1}\"}")")
      << "a level deeper";
  EXPECT_EQ(mask_line(R"("{\"token\":\"hunter2)"), R"("{\"token\":\"***)") << "cut off";
}

TEST(MaskUrls, MaskingTwiceIsMaskingOnce) {
  for (const char* text :
       {"http://u:p@h/?token=x", "mongodb://u:p@h1:1,h2:2/", "x://u:a b@h", "/a?token=x&b=?pwd=y"})
    EXPECT_EQ(mask_urls(mask_urls(text)), mask_urls(text));
}

TEST(MaskUrls, LongHostileTextsTakeLinearTime) {
  std::string marks;
  for (int index = 0; index < 200'000; ++index)
    marks += "a://:";
  EXPECT_EQ(mask_urls(marks).size() > 0, true);
  const std::string nested = "http://h/?a=" + std::string(100'000, '%');
  EXPECT_EQ(mask_urls(nested), nested);
  EXPECT_EQ(mask_urls(std::string(1'000'000, ':')), std::string(1'000'000, ':'));
}

TEST(MaskArguments, HidesValuesOfSecretOptions) {
  EXPECT_EQ(mask_arguments({"server", "--db.password=hunter2", "--http.port=80"}, {}),
            (std::vector<std::string>{"server", "--db.password=***", "--http.port=80"}));
  EXPECT_EQ(mask_arguments({"server", "--password", "hunter2", "x"}, {}),
            (std::vector<std::string>{"server", "--password", "***", "x"}));
  EXPECT_EQ(mask_arguments({"server", "--password", "--verbose"}, {}),
            (std::vector<std::string>{"server", "--password", "--verbose"}));
  EXPECT_EQ(mask_arguments({"env", "PASSWORD=hunter2", "-token=hunter2"}, {}),
            (std::vector<std::string>{"env", "PASSWORD=***", "-token=***"}));
}

TEST(MaskArguments, HidesUrlsAndDeclaredSecrets) {
  EXPECT_EQ(mask_arguments({"--db.uri=pg://u:hunter2@h", "pg://u:hunter2@h"}, {}),
            (std::vector<std::string>{"--db.uri=pg://u:***@h", "pg://u:***@h"}));
  EXPECT_EQ(mask_arguments({"--db.note=hunter2", "--db.note", "hunter2"}, {"db.note"}),
            (std::vector<std::string>{"--db.note=***", "--db.note", "***"}));
}

TEST(MaskArguments, HidesValuesOfShortOptions) {
  const std::vector<std::string> secrets{"db.password", "-p"};
  EXPECT_EQ(mask_arguments({"server", "-p", "hunter2", "-x", "1"}, secrets),
            (std::vector<std::string>{"server", "-p", "***", "-x", "1"}));
  EXPECT_EQ(mask_arguments({"-phunter2", "-vp", "hunter2", "-vphunter2", "x-p"}, secrets),
            (std::vector<std::string>{"-p***", "-vp", "***", "-vp***", "x-p"}));
  EXPECT_EQ(mask_arguments({"--port=80", "-x", "p", "-", "-P1"}, secrets),
            (std::vector<std::string>{"--port=80", "-x", "p", "-", "-P1"}));
}

TEST(MaskArguments, TheLastArgumentMayBeASecretOption) {
  EXPECT_EQ(mask_arguments({"--password"}, {}), std::vector<std::string>{"--password"});
  EXPECT_EQ(mask_arguments({"--password", "-x"}, {}),
            (std::vector<std::string>{"--password", "***"}));
  EXPECT_TRUE(mask_arguments({}, {}).empty());
}

}  // namespace
