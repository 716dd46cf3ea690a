#include "storage/sqlite/database.hpp"

#include <sqlite3.h>

#include <cerrno>

namespace queue_server::sqlite {

namespace {

constexpr int busy_timeout_ms = 1000;
constexpr int steps_between_time_checks = 1000;

[[noreturn]] void fail(sqlite3* connection, int code) {
  const char* said = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  throw error(code, said);
}

}  // namespace

query::~query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(sqlite3_db_handle(statement_), code);
}

void query::run() {
  while (step()) {
  }
}

std::int64_t query::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string query::text(int column) const {
  const auto* start = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (start == nullptr) return {};
  return {start, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void query::bind(int position, std::int64_t value) {
  check(sqlite3_bind_int64(statement_, position, value));
}

void query::bind(int position, std::string_view value) {
  check(sqlite3_bind_text64(statement_, position, value.data() != nullptr ? value.data() : "",
                            value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void query::bind(int position, const std::optional<std::string>& value) {
  if (value) {
    bind(position, std::string_view(*value));
  } else {
    check(sqlite3_bind_null(statement_, position));
  }
}

void query::bind(int position, const std::optional<std::int64_t>& value) {
  if (value) {
    bind(position, *value);
  } else {
    check(sqlite3_bind_null(statement_, position));
  }
}

void query::check(int code) const {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement_), code);
}

void database::closer::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

void database::finalizer::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

database::database(const std::string& path, open_mode mode) {
  const int flags = mode == open_mode::read_only ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(opened);
  if (code != SQLITE_OK) fail(opened, code);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, busy_timeout_ms);
}

void database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(connection_.get(), code);
}

std::int64_t database::changes() const {
  return sqlite3_changes64(connection_.get());
}

std::int64_t database::last_row_id() const {
  return sqlite3_last_insert_rowid(connection_.get());
}

bool database::in_transaction() const {
  return sqlite3_get_autocommit(connection_.get()) == 0;
}

bool database::is_full() const noexcept {
  return sqlite3_errcode(connection_.get()) == SQLITE_FULL ||
         sqlite3_system_errno(connection_.get()) == ENOSPC;
}

void database::limit_time(std::chrono::milliseconds limit) {
  if (limit == std::chrono::milliseconds::zero()) {
    sqlite3_progress_handler(connection_.get(), 0, nullptr, nullptr);
    return;
  }
  deadline_ = std::chrono::steady_clock::now() + limit;
  sqlite3_progress_handler(connection_.get(), steps_between_time_checks, &past_deadline, this);
}

int database::past_deadline(void* self) noexcept {
  return std::chrono::steady_clock::now() > static_cast<database*>(self)->deadline_ ? 1 : 0;
}

sqlite3_stmt* database::statement(std::string_view sql) {
  if (const auto known = statements_.find(sql); known != statements_.end()) {
    return known->second.get();
  }
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) fail(connection_.get(), code);
  statements_.emplace(sql, prepared);
  return prepared;
}

}  // namespace queue_server::sqlite
