#include "storage/sqlite/database.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace queue_server::sqlite {

namespace {

constexpr int busy_timeout_ms = 1000;
constexpr int steps_between_time_checks = 1000;
// When the log is this long it is written back to the file, as SQLite does by default.
constexpr int frames_to_write_back = 1000;

[[noreturn]] void fail(sqlite3* connection, int code) {
  const char* said = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  throw error(code, said);
}

bool is_damage(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

}  // namespace

error::error(int code, const std::string& message)
    : storage_error(message, is_damage(code)), code_(code) {}

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
  if (mode == open_mode::read_only) return;
  // SQLite opens what it may not write all the same.
  if (sqlite3_db_readonly(opened, "main") == 1)
    throw error(SQLITE_READONLY, "it may not be written");
  if (const char* file = sqlite3_db_filename(opened, "main"); file != nullptr && *file != '\0') {
    log_ = sqlite3_filename_wal(file);
  }
  sqlite3_wal_hook(opened, &committed, this);
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
  const int reason = sqlite3_system_errno(connection_.get());
  return sqlite3_errcode(connection_.get()) == SQLITE_FULL || reason == ENOSPC || reason == EDQUOT;
}

void database::check_files() {
  if (log_.empty()) return;
  int moved = 0;
  sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0) throw error(SQLITE_READONLY_DBMOVED, "the file was moved or deleted");
  check_log();
  sqlite3_file* file = nullptr;
  sqlite3_int64 bytes = 0;
  if (sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_FILE_POINTER,
                           static_cast<void*>(&file)) == SQLITE_OK &&
      file != nullptr && file->pMethods != nullptr &&
      file->pMethods->xFileSize(file, &bytes) == SQLITE_OK) {
    check_length(bytes);
  }
}

void database::check_log() {
  struct stat now = {};
  const bool there = ::stat(log_.c_str(), &now) == 0;
  if (log_inode_ == 0 && there) log_inode_ = now.st_ino;
  if (log_inode_ == 0 || (there && now.st_ino == log_inode_)) return;
  throw error(SQLITE_READONLY_DBMOVED,
              "the file's log was moved or deleted; a stop saves what is in it");
}

// Only who makes the file anew makes it shorter; then it needs no more than it has.
void database::check_length(std::int64_t bytes) {
  if (bytes < state_.file_bytes) {
    const auto number = [this](std::string_view sql) {
      auto row = prepare(sql);
      return row.step() ? row.integer(0) : 0;
    };
    const std::int64_t needed = number("PRAGMA page_count") * number("PRAGMA page_size");
    if (bytes < std::min(needed, state_.file_bytes)) {
      throw error(SQLITE_CORRUPT, "the file was cut off");
    }
  }
  state_.file_bytes = bytes;
}

engine_state database::state() const {
  return state_;
}

int database::committed(void* self, sqlite3* /*connection*/, const char* /*name*/,
                        int frames) noexcept {
  static_cast<database*>(self)->write_back(frames);
  return SQLITE_OK;  // the transaction is safe in the log, whatever becomes of the rest
}

void database::write_back(int frames) noexcept {
  constexpr std::int64_t bytes_a_frame = 4096 + 24;  // of the default size of pages
  state_.log_bytes = frames * bytes_a_frame;
  if (frames < frames_to_write_back) return;
  const auto began = std::chrono::steady_clock::now();
  int in_log = 0;
  int written = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &written);
  state_.last_checkpoint = std::chrono::steady_clock::now();
  state_.last_checkpoint_us =
      std::chrono::duration_cast<std::chrono::microseconds>(state_.last_checkpoint - began).count();
  ++state_.checkpoints;
  if (written < in_log || code == SQLITE_BUSY) ++state_.checkpoints_unfinished;
  state_.log_bytes = (in_log - written) * bytes_a_frame;
  state_.checkpoint_problem =
      code == SQLITE_OK || code == SQLITE_BUSY ? nullptr : sqlite3_errstr(code);
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
