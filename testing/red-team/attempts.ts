/** What is tried with each credential. Nothing of it changes anything, also where it is allowed. */

/** A name for the table, and what is tried. */
export type Attempts<Try> = Readonly<Record<string, Try>>;

/** SQL, each in a transaction of its own that is rolled back. The roles that can be become are added to it. */
export const sqlAttempts: Attempts<string> = {
  read: "SELECT count(*) FROM orders",
  insert: "INSERT INTO orders (reference, item, quantity, email) VALUES ('red-team', 'lamp', 1, 'red@example.com')",
  update: "UPDATE orders SET quantity = quantity WHERE false",
  delete: "DELETE FROM orders WHERE false",
  truncate: "TRUNCATE orders CASCADE",
  "drop table": "DROP TABLE orders CASCADE",
  "alter table": "ALTER TABLE orders ADD COLUMN red_team int",
  "create table": "CREATE TABLE red_team (n int)",
  "temporary table": "CREATE TEMPORARY TABLE red_team (n int)",
  "create schema": "CREATE SCHEMA red_team",
  "create function": "CREATE FUNCTION red_team() RETURNS int LANGUAGE sql AS 'SELECT 1'",
  "create trusted extension": "CREATE EXTENSION hstore",
  "create other extension": "CREATE EXTENSION file_fdw",
  "create role": "CREATE ROLE red_team",
  "make itself superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
  "large object": "SELECT lo_create(0)",
  "read passwords": "SELECT rolpassword FROM pg_authid",
  "run a program": "COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'",
  "write a file": "COPY (SELECT 1) TO '/tmp/red-team'",
  "read a file": "SELECT pg_read_file('PG_VERSION')",
  "list a folder": "SELECT pg_ls_dir('.')",
  "import a file": "SELECT lo_import('/etc/passwd')",
  "superuser's setting": "SET LOCAL log_statement = 'none'",
  "reload settings": "SELECT pg_reload_conf()",
  "publish all tables": "CREATE PUBLICATION red_team FOR ALL TABLES",
  "replication slot": "SELECT pg_create_physical_replication_slot('red_team', false, true)",
  "switch WAL": "SELECT pg_switch_wal()",
};

/** States of PostgreSQL's errors that mean: not allowed (insufficient privilege), or not here (a standby is read-only). */
export const refusedStates = ["42501", "25006"];

const any = "red-team:key";
const list = "red-team:list";
const result = "celery-task-meta-red-team";
const binding = "_kombu.binding.red-team";

/** Keys that attempts may leave behind. */
export const redisKeys = [any, list, result, binding];

/** Commands, those that would do harm with an argument that Redis refuses after it has looked at the rights. */
export const redisAttempts: Attempts<readonly string[]> = {
  "read any key": ["GET", any],
  "write any key": ["SET", any, "1", "EX", "60"],
  "delete any key": ["DEL", any],
  "add to any list": ["LPUSH", list, "1"],
  "read any list": ["LRANGE", list, "0", "0"],
  "take from any list": ["LPOP", list],
  "length of any list": ["LLEN", list],
  "unacknowledged tasks": ["HGET", "unacked", "red-team"],
  "read results": ["GET", result],
  "write results": ["SET", result, "1", "EX", "60"],
  "bind queues": ["SADD", binding, "red-team"],
  SCAN: ["SCAN", "0", "COUNT", "1"],
  RANDOMKEY: ["RANDOMKEY"],
  DBSIZE: ["DBSIZE"],
  KEYS: ["KEYS", "red-team:none"],
  FLUSHALL: ["FLUSHALL", "RED-TEAM"],
  FLUSHDB: ["FLUSHDB", "RED-TEAM"],
  SWAPDB: ["SWAPDB", "0", "0"],
  RESTORE: ["RESTORE", any, "0", "red-team"],
  MIGRATE: ["MIGRATE", "127.0.0.1", "1", "red-team:none", "0", "10"],
  "CONFIG GET": ["CONFIG", "GET", "maxmemory"],
  "CONFIG SET": ["CONFIG", "SET", "red-team", "1"],
  "ACL LIST": ["ACL", "LIST"],
  "ACL SETUSER": ["ACL", "SETUSER", "red-team", "RED-TEAM"],
  "CLIENT LIST": ["CLIENT", "LIST"],
  "CLIENT KILL": ["CLIENT", "KILL", "ID", "999999999"],
  DEBUG: ["DEBUG", "HELP"],
  EVAL: ["EVAL", "return 1", "0"],
  "SCRIPT FLUSH": ["SCRIPT", "FLUSH", "RED-TEAM"],
  "FUNCTION LIST": ["FUNCTION", "LIST"],
  "MODULE LIST": ["MODULE", "LIST"],
  "MODULE LOAD": ["MODULE", "LOAD", "/red-team"],
  REPLICAOF: ["REPLICAOF", "red-team", "none"],
  BGSAVE: ["BGSAVE", "RED-TEAM"],
  SHUTDOWN: ["SHUTDOWN", "RED-TEAM"],
  INFO: ["INFO", "server"],
  "SLOWLOG GET": ["SLOWLOG", "GET", "1"],
  "LATENCY LATEST": ["LATENCY", "LATEST"],
  PUBLISH: ["PUBLISH", "red-team", "1"],
};
