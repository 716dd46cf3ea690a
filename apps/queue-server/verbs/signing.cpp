#include "verbs/signing.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <boost/algorithm/string/split.hpp>
#include <chrono>
#include <cstdint>

#include "verbs/command.hpp"
#include "verbs/errors.hpp"
#include "verbs/time.hpp"

namespace queue_server {

namespace {

constexpr std::int64_t default_lifetime = 86400;  // seconds
constexpr std::array kinds_of_paths{"messages", "subscriptions", "claims"};
constexpr std::array methods_known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

std::int64_t now() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : ",") + part;
  return text;
}

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  boost::algorithm::split(parts, text, [](char each) { return each == ','; });
  return parts;
}

bool lists_method(const std::string& methods, const std::string& wanted) {
  const auto parts = parts_of(methods);
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

// A path stands for what is below it too: messages for each message.
bool lists_path(const std::string& paths, const std::string& wanted) {
  const auto parts = parts_of(paths);
  return std::any_of(parts.begin(), parts.end(), [&wanted](const std::string& part) {
    return wanted == part || wanted.starts_with(part + "/");
  });
}

std::vector<std::string> texts(const arguments& asked, const char* name, std::string otherwise) {
  const json* sent = asked.field(name);
  if (sent == nullptr) return {std::move(otherwise)};
  if (!sent->is_array() || sent->empty()) {
    throw invalid_body("\"" + std::string(name) + "\" must be a list.");
  }
  std::vector<std::string> read;
  read.reserve(sent->size());
  for (const json& each : *sent) {
    if (!each.is_string())
      throw invalid_body("\"" + std::string(name) + "\" must be a list of str.");
    read.push_back(each.get<std::string>());
  }
  return read;
}

template <class Known>
void check_known(const std::vector<std::string>& given, const Known& known, const char* what) {
  for (const std::string& each : given) {
    if (std::find(known.begin(), known.end(), each) != known.end()) continue;
    throw invalid_body("\"" + each + "\" can't be among the " + what + ".");
  }
}

api_error refused(const std::string& why) {
  return {403, "Forbidden", why};
}

}  // namespace

std::string sign(const rules& allowed, const std::string& project, const signed_claim& what) {
  const std::string text =
      project + '\n' + what.methods + '\n' + what.paths + '\n' + what.expires + '\n';
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  const std::string& key = allowed.signed_url_secret_key;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (key.empty() || HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes,
                          text.size(), digest.data(), &length) == nullptr) {
    throw std::runtime_error("nothing can be signed");
  }
  static constexpr char digits[] = "0123456789abcdef";
  std::string signature;
  for (unsigned int at = 0; at < length; ++at) {
    signature += digits[digest[at] >> 4];
    signature += digits[digest[at] & 15];
  }
  return signature;
}

void check_signature(const rules& allowed, const std::string& project, const signed_claim& what,
                     const std::string& method, const std::string& path) {
  if (what.expires.empty() || what.methods.empty() || what.paths.empty()) {
    throw invalid_request("A signed request needs URL-Expires, URL-Methods and URL-Paths.");
  }
  const std::string right = sign(allowed, project, what);
  if (right.size() != what.signature.size() ||
      CRYPTO_memcmp(right.data(), what.signature.data(), right.size()) != 0) {
    throw refused("The signature is not one of this server's.");
  }
  const auto expires = seconds_from(what.expires);
  if (!expires || *expires <= now()) throw refused("The signed URL has expired.");
  if (!lists_method(what.methods, method))
    throw refused("The signed URL is not for " + method + ".");
  if (!lists_path(what.paths, path)) throw refused("The signed URL is not for this path.");
}

namespace verbs {

command queue_share(const arguments& asked) {
  const std::string queue = asked.queue().name;
  std::vector<std::string> paths = texts(asked, "paths", "messages");
  const std::vector<std::string> methods = texts(asked, "methods", "GET");
  check_known(paths, kinds_of_paths, "paths");
  check_known(methods, methods_known, "methods");
  signed_claim made;
  made.expires = asked.optional_text("expires").value_or(
      rfc3339((now() + default_lifetime) * milliseconds_a_second));
  const auto expires = seconds_from(made.expires);
  if (!expires || *expires <= now()) {
    throw invalid_body("\"expires\" must be a time to come, as 2026-01-31T12:00:00Z.");
  }
  for (std::string& path : paths)
    path.insert(0, "/v2/queues/" + queue + "/");
  made.methods = joined(methods);
  made.paths = joined(paths);
  json shown = {{"project", asked.who.project},
                {"expires", made.expires},
                {"paths", paths},
                {"methods", methods},
                {"signature", sign(asked.allowed, asked.who.project, made)}};
  return at_once(results::queue_shared{std::move(shown)});
}

}  // namespace verbs

}  // namespace queue_server
