// What subscribers are told: messages that were posted together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "budget.hpp"
#include "verbs/results.hpp"

namespace queue_server {

// Kept once for all who are told, for as long as one of them waits; its memory is counted.
class posted final {
 public:
  // Nothing when there is no room for it, in all or for its project.
  [[nodiscard]] static std::shared_ptr<const posted> make(results::messages_posted&& done,
                                                          budget& all,
                                                          std::shared_ptr<budget> project);
  // One text that another process made.
  [[nodiscard]] static std::shared_ptr<const posted> make(std::string text, budget& all);

  [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }
  [[nodiscard]] const std::shared_ptr<budget>& project() const noexcept { return project_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  // A notification, as JSON. Made when it is asked for: there may be thousands.
  [[nodiscard]] std::string text(std::size_t number) const;

 private:
  posted(budget& all, std::shared_ptr<budget> project);
  [[nodiscard]] bool fits() noexcept;

  std::string queue_;
  std::vector<std::string> ids_;    // none: the texts are whole notifications
  std::vector<std::string> texts_;  // bodies of messages
  std::size_t bytes_ = 0;
  std::shared_ptr<budget> project_;  // before its share
  budget::share of_all_;
  std::optional<budget::share> of_project_;
};

}  // namespace queue_server
