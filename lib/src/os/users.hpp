// Who users are.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace gmr::os {

// The name that /etc/passwd has for a user. Directory services are not asked, as they may hang, nor
// is the C library, whose functions for it wait for the locks of its streams. Nothing when there is
// none or the file can't be read.
[[nodiscard]] std::optional<std::string> user_name(uid_t user);

// The same of the content of such a file.
[[nodiscard]] std::optional<std::string> find_user(std::string_view passwd, uid_t user);

}  // namespace gmr::os
