// SQLite behind objects that clean up: a connection with its prepared statements, and one run of a
// statement. Values only ever reach SQL as bound parameters.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/engine/engine.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace queue_server::sqlite {

// What SQLite answered, with its code (SQLITE_BUSY, SQLITE_FULL, ...).
class error : public storage_error {
 public:
  error(int code, const std::string& message);
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

// One run of a prepared statement; gives it back, reset, when it ends. At most one run of the same
// SQL at a time on a connection.
class query final {
 public:
  // Binds `values` to the parameters from ?1 on. Texts must live until the run ends.
  template <class... Values>
  explicit query(sqlite3_stmt* statement, const Values&... values) : statement_(statement) {
    int position = 0;
    (bind(++position, values), ...);
  }
  query(const query&) = delete;
  query& operator=(const query&) = delete;
  ~query();

  [[nodiscard]] bool step();  // true: there is a row
  void run();                 // steps to the end

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  void bind(int position, std::int64_t value);
  void bind(int position, std::string_view value);
  void bind(int position, const std::string& value) { bind(position, std::string_view(value)); }
  void bind(int position, const std::optional<std::string>& value);
  void bind(int position, const std::optional<std::int64_t>& value);
  void check(int code) const;

  sqlite3_stmt* statement_;
};

enum class open_mode { read_write, read_only };

// One connection. One thread at a time.
class database final {
 public:
  // `path` may be ":memory:". Throws error.
  database(const std::string& path, open_mode mode);

  // SQL without parameters and results; may hold several statements.
  void execute(const char* sql);

  // A prepared statement with its parameters bound. `sql` must be a literal: it is the cache's key.
  template <class... Values>
  [[nodiscard]] query prepare(std::string_view sql, const Values&... values) {
    return query(statement(sql), values...);
  }
  template <class... Values>
  void run(std::string_view sql, const Values&... values) {
    query(statement(sql), values...).run();
  }

  [[nodiscard]] std::int64_t changes() const;  // rows changed by the last statement
  [[nodiscard]] std::int64_t last_row_id() const;
  [[nodiscard]] bool in_transaction() const;
  // The latest call failed as there is no room on the disk.
  [[nodiscard]] bool is_full() const noexcept;

  // From now on a statement that is still running `limit` after this call fails with
  // SQLITE_INTERRUPT. Zero: no limit.
  void limit_time(std::chrono::milliseconds limit);

  // Throws error when the file or its log is not where it was any more, or was cut off: SQLite goes
  // on with a file that is open, and what it writes there is lost when it ends. A few system calls.
  void check_files();

  // Of the connection that writes, its files as check_files() saw them. The name is left out.
  [[nodiscard]] engine_state state() const;

 private:
  struct closer {
    void operator()(sqlite3* connection) const noexcept;
  };
  struct finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  [[nodiscard]] sqlite3_stmt* statement(std::string_view sql);
  static int past_deadline(void* self) noexcept;
  static int committed(void* self, sqlite3* connection, const char* name, int frames) noexcept;
  void write_back(int frames) noexcept;
  void check_length(std::int64_t bytes);
  void check_log();

  std::unique_ptr<sqlite3, closer> connection_;
  std::unordered_map<std::string_view, std::unique_ptr<sqlite3_stmt, finalizer>> statements_;
  std::chrono::steady_clock::time_point deadline_;
  std::string log_;              // the path of the write-ahead log; empty: it has none
  std::uint64_t log_inode_ = 0;  // 0: it has not been seen yet
  engine_state state_;
};

// What runs while it lives ends in time.
class time_limit final {
 public:
  time_limit(database& of, std::chrono::milliseconds limit) : of_(of) { of_.limit_time(limit); }
  time_limit(const time_limit&) = delete;
  time_limit& operator=(const time_limit&) = delete;
  ~time_limit() { of_.limit_time(std::chrono::milliseconds::zero()); }

 private:
  database& of_;
};

}  // namespace queue_server::sqlite
