#include "notifications/posted.hpp"

#include "verbs/json.hpp"

namespace queue_server {

namespace {

constexpr std::size_t bytes_beside_a_body = 128;  // of memory

}  // namespace

posted::posted(budget& all, std::shared_ptr<budget> project)
    : project_(std::move(project)), of_all_(all) {
  if (project_) of_project_.emplace(*project_);
}

bool posted::fits() noexcept {
  for (const std::string& each : texts_)
    bytes_ += each.size() + bytes_beside_a_body;
  return of_all_.set(bytes_) && (!of_project_ || of_project_->set(bytes_));
}

std::shared_ptr<const posted> posted::make(results::messages_posted&& done, budget& all,
                                           std::shared_ptr<budget> project) {
  const std::shared_ptr<posted> made(new posted(all, std::move(project)));
  made->queue_ = std::move(done.queue);
  made->ids_ = std::move(done.ids);
  made->texts_ = std::move(done.told.bodies);
  return made->fits() ? made : nullptr;
}

std::shared_ptr<const posted> posted::make(std::string text, budget& all) {
  const std::shared_ptr<posted> made(new posted(all, nullptr));
  made->texts_.push_back(std::move(text));
  return made->fits() ? made : nullptr;
}

std::string posted::text(std::size_t number) const {
  if (ids_.empty()) return texts_[number];
  return to_text({{"Message_Type", "Notification"},
                  {"queue_name", queue_},
                  {"id", ids_[number]},
                  {"body", raw_value(texts_[number])}});
}

}  // namespace queue_server
