#include "notifications/notifier.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>

#include "log/log.hpp"
#include "notifications/delivery.hpp"
#include "notifications/socket_address.hpp"
#include "storage/engine/id.hpp"
#include "storage/fair_queue.hpp"
#include "verbs/errors.hpp"
#include "verbs/signing.hpp"
#include "verbs/subscriber.hpp"
#include "verbs/time.hpp"
#include "workers/mailboxes.hpp"

namespace queue_server {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_active = 64;
constexpr std::size_t most_active_of_project = 16;
constexpr std::size_t most_waiting = 40'000;
constexpr std::size_t most_waiting_of_project = 10'000;
constexpr std::size_t most_bytes_of_project = std::size_t{16} * 1024 * 1024;
constexpr std::int64_t confirmation_lifetime = 86400;  // seconds

std::string text_of_confirmation(const rules& allowed, const results::subscription_created& made) {
  const std::string path =
      "/v2/queues/" + made.queue.name + "/subscriptions/" + made.id + "/confirm";
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch());
  signed_claim claim;
  claim.expires = rfc3339((now.count() + confirmation_lifetime) * milliseconds_a_second);
  claim.methods = "PUT";
  claim.paths = path;
  return to_text({{"Message_Type", "SubscriptionConfirmation"},
                  {"Message", "You have chosen to subscribe to the queue: " + made.queue.name},
                  {"queue_name", made.queue.name},
                  {"SubscribeURL", json::array({path})},
                  {"SubscribeBody", {{"confirmed", true}}},
                  {"UnsubscribeBody", {{"confirmed", false}}},
                  {"X-Project-ID", made.queue.project},
                  {"URL-Signature", sign(allowed, made.queue.project, claim)},
                  {"URL-Methods", json::array({"PUT"})},
                  {"URL-Paths", json::array({path})},
                  {"URL-Expires", claim.expires}});
}

// What one subscriber is to be told: a part of what was posted together, or a text.
struct errand {
  std::string project;
  std::string subscriber;
  retry_policy policy;
  std::shared_ptr<const posted> what;
  std::size_t next = 0;
  std::size_t end = 1;
  std::string text = {};  // where nothing was posted
  std::shared_ptr<std::int64_t> retries = std::make_shared<std::int64_t>(0);

  [[nodiscard]] std::string body() const { return what ? what->text(next) : text; }
};

// What a project has in hand.
struct account {
  std::shared_ptr<budget> memory = std::make_shared<budget>(most_bytes_of_project);
  std::size_t waiting = 0;  // notifications
  std::size_t active = 0;
};

struct active_delivery {
  std::shared_ptr<delivery> exchange;
  errand what;
};

struct paused_delivery {
  asio::steady_timer timer;
  errand what;
};

}  // namespace

class notifier::implementation final : public std::enable_shared_from_this<implementation> {
 public:
  implementation(asio::io_context& io, const rules& allowed, service_log& log, budget& memory,
                 mailboxes* mail, int number)
      : io_(io), allowed_(allowed), log_(log), memory_(memory), mail_(mail), number_(number) {}

  void announce(result&& done) {
    if (auto* posts = std::get_if<results::messages_posted>(&done)) announce(std::move(*posts));
    const auto* made = std::get_if<results::subscription_created>(&done);
    if (made == nullptr || made->confirmed) return;
    errand asks{made->queue.project, made->subscriber, {}, nullptr};
    asks.text = text_of_confirmation(allowed_, *made);
    const std::lock_guard lock(mutex_);
    add(std::move(asks));
    start_some();
  }

  // From another worker: for one of the clients of this one.
  void receive(const std::string& address, std::string text) {
    // An empty one: something is missing.
    const auto what = text.empty() ? nullptr : posted::make(std::move(text), memory_);
    if (live_->tell(address, what) && what) ++counts_.live;
  }

  [[nodiscard]] std::string new_address() const { return address_of_socket(number_, new_id()); }

  void stop() {
    if (mail_ != nullptr) mail_->stop();
    live_->close();
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    paused_.clear();  // cancels their timers
    counts_.waiting = 0;
    for (const active_delivery& each : active_)
      asio::post(each.exchange->strand, [one = each.exchange] { one->stop(); });
  }

  counts counts_;
  const std::shared_ptr<live_subscribers> live_ = std::make_shared<live_subscribers>();

 private:
  using active_list = std::list<active_delivery>;
  using paused_list = std::list<paused_delivery>;

  void announce(results::messages_posted&& done) {
    if (done.told.subscribers.empty()) return;
    const std::vector<subscription> subscribers = std::move(done.told.subscribers);
    const std::string metadata = std::move(done.told.metadata);
    const std::string project = std::move(done.told.project);
    const std::size_t count = done.ids.size();
    const auto what = posted::make(std::move(done), memory_, memory_of(project));
    for (const subscription& each : subscribers) {
      if (is_socket(each.subscriber)) tell_socket(each.subscriber, what);
    }
    const std::lock_guard lock(mutex_);
    for (const subscription& each : subscribers) {
      if (is_socket(each.subscriber)) continue;
      if (what) {
        add({project, each.subscriber, retry_policy_of(each.options, metadata), what, 0, count});
      } else {
        counts_.dropped += count;
      }
    }
    start_some();
  }

  void tell_socket(const std::string& address, const std::shared_ptr<const posted>& what) {
    const int number = worker_of_socket(address);
    if (number == number_) {
      if (live_->tell(address, what) && what) counts_.live += what->size();
    } else if (mail_ != nullptr) {
      mail_->send(number, address, what);
    }
  }

  [[nodiscard]] std::shared_ptr<budget> memory_of(const std::string& project) {
    const std::lock_guard lock(mutex_);
    const auto found = accounts_.find(project);
    return found != accounts_.end() ? found->second.memory : account().memory;
  }

  // From here on with the mutex held.

  void add(errand told) {
    if (stopping_) return;
    account& of = accounts_[told.project];
    const std::size_t room = std::min(most_waiting - std::min(most_waiting, waiting_count_),
                                      most_waiting_of_project - of.waiting);
    const std::size_t wanted = told.end - told.next;
    const std::size_t taken = std::min(wanted, room);
    counts_.dropped += wanted - taken;
    told.end = told.next + taken;
    if (taken > 0) {
      if (told.what) of.memory = told.what->project();
      of.waiting += taken;
      waiting_count_ += taken;
      waiting_.push_back(told.project, std::move(told));
    } else {
      close_if_idle(accounts_.find(told.project));
    }
  }

  void close_if_idle(std::unordered_map<std::string, account>::iterator of) {
    if (of->second.waiting == 0 && of->second.active == 0) accounts_.erase(of);
  }

  void start_some() {
    while (!stopping_ && active_.size() < most_active) {
      auto next = waiting_.pop_if([this](const std::string& project) {
        return accounts_[project].active < most_active_of_project;
      });
      if (!next) break;
      start_first(std::move(*next));
    }
    counts_.waiting = waiting_count_;
    counts_.active = active_.size();
  }

  // Of what is to be told, its first notification; the others wait for their turns.
  void start_first(errand told) {
    account& of = accounts_[told.project];
    errand first = told;
    first.end = first.next + 1;
    if (++told.next < told.end) {
      told.retries = std::make_shared<std::int64_t>(0);
      waiting_.push_back(told.project, std::move(told));
    }
    --of.waiting;
    --waiting_count_;
    if (!still_allowed(first.subscriber)) {
      ++counts_.failed;
      close_if_idle(accounts_.find(first.project));
      return;
    }
    ++of.active;
    const auto one = std::make_shared<delivery>(io_, first.subscriber, first.body());
    const auto place = active_.insert(active_.end(), {one, std::move(first)});
    asio::co_spawn(one->strand, deliver(one, place->what.retries, place->what.policy),
                   [self = shared_from_this(), place](const std::exception_ptr& problem,
                                                      const delivery_end& end) {
                     self->ended(place, problem ? delivery_end{} : end);
                   });
  }

  void pause(errand what, std::chrono::seconds time) {
    ++accounts_[what.project].waiting;
    ++waiting_count_;
    const auto place =
        paused_.insert(paused_.end(), {asio::steady_timer(io_, time), std::move(what)});
    place->timer.async_wait([self = shared_from_this(), place](boost::system::error_code gone) {
      if (!gone) self->go_on(place);
    });
  }

  // Without the mutex: they take it.

  void go_on(paused_list::iterator place) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // and it is gone
    errand what = std::move(place->what);
    paused_.erase(place);
    waiting_.push_front(what.project, std::move(what));
    start_some();
  }

  void ended(active_list::iterator place, const delivery_end& end) {
    const std::lock_guard lock(mutex_);
    errand what = std::move(place->what);
    active_.erase(place);
    const auto of = accounts_.find(what.project);
    --of->second.active;
    if (end.pause && !stopping_) {
      pause(std::move(what), *end.pause);
    } else {
      ++(end.taken ? counts_.delivered : counts_.failed);
      if (!end.taken) note_failure(what);
      close_if_idle(of);
    }
    start_some();
  }

  void note_failure(const errand& what) {
    log_.event("notification failed", {{"subscriber", shown_subscriber(what.subscriber)}},
               severity::warning);
  }

  // What is allowed may have changed since it was subscribed.
  [[nodiscard]] bool still_allowed(const std::string& subscriber) const {
    try {
      static_cast<void>(checked_subscriber(allowed_, subscriber));
      return true;
    } catch (const api_error&) {
      return false;
    }
  }

  asio::io_context& io_;
  const rules& allowed_;
  service_log& log_;
  budget& memory_;
  mailboxes* const mail_;
  const int number_;
  std::mutex mutex_;
  std::unordered_map<std::string, account> accounts_;  // of projects that have something in hand
  fair_queue<errand> waiting_;
  std::size_t waiting_count_ = 0;  // notifications, those that pause among them
  active_list active_;
  paused_list paused_;
  bool stopping_ = false;
};

notifier::notifier(asio::io_context& io, const rules& allowed, service_log& log, budget& memory,
                   mailboxes* mail, int number)
    : implementation_(std::make_shared<implementation>(io, allowed, log, memory, mail, number)) {
  if (mail == nullptr) return;
  mail->open(io, number,
             [to = std::weak_ptr(implementation_)](const std::string& address, std::string text) {
               if (const auto self = to.lock()) self->receive(address, std::move(text));
             });
}

notifier::~notifier() = default;

void notifier::announce(result&& done) noexcept {
  try {
    implementation_->announce(std::move(done));
  } catch (const std::exception&) {
    ++implementation_->counts_.dropped;  // no memory for it
  }
}

std::string notifier::new_address() const {
  return implementation_->new_address();
}

std::shared_ptr<live_subscribers> notifier::live() const noexcept {
  return implementation_->live_;
}

void notifier::stop() {
  implementation_->stop();
}

const notifier::counts& notifier::counted() const noexcept {
  return implementation_->counts_;
}

}  // namespace queue_server
