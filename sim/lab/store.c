/* The file: opening, transactions, SQLite's errors, small encodings. */
#include "sim/lab/store.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BUSY_MS 5000                    /* how long a command waits for another */

bool store_failed(struct lab *lab, const char *doing, struct err *err)
{
	int code = sqlite3_errcode(lab->db);
	struct where w = { .file = lab->path };

	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_add(err, ERR_MACHINE, &w, "another command is at work in this lab; try again");
	if (code == SQLITE_NOTADB)
		return err_add(err, ERR_INPUT, &w, "not a lab: it is no SQLite file; --lab names another one");
	return err_add(err, code == SQLITE_CORRUPT ? ERR_INPUT : ERR_MACHINE, &w, "%s: %s", doing, sqlite3_errmsg(lab->db));
}

bool store_run(struct lab *lab, const char *sql, const char *doing, struct err *err)
{
	return sqlite3_exec(lab->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_failed(lab, doing, err);
}

sqlite3_stmt *store_prepare(struct lab *lab, const char *sql, struct err *err)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(lab->db, sql, -1, &st, NULL) != SQLITE_OK) {
		store_failed(lab, "cannot be read", err);
		return NULL;
	}
	return st;
}

bool store_do(struct lab *lab, sqlite3_stmt *st, const char *doing, struct err *err)
{
	int code = sqlite3_step(st);

	if (code != SQLITE_DONE && code != SQLITE_ROW) {
		store_failed(lab, doing, err);
		sqlite3_reset(st);
		return false;
	}
	sqlite3_reset(st);
	return true;
}

int64_t store_number(struct lab *lab, const char *sql, int64_t dflt)
{
	sqlite3_stmt *st;
	int64_t v = dflt;

	if (sqlite3_prepare_v2(lab->db, sql, -1, &st, NULL) != SQLITE_OK)
		return dflt;
	if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return v;
}

void store_bind_text(sqlite3_stmt *st, int at, const char *s)
{
	if (s)
		sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, at);
}

/* ---- opening */

#define FRAMES_MOST 64                  /* each page in the log is read by every command: from here on they go into the file */

static int committed(void *ctx, sqlite3 *db, const char *name, int frames)
{
	struct lab *lab = ctx;

	(void)db;
	(void)name;
	lab->frames = frames;
	return SQLITE_OK;
}

/* WAL, and no checkpoint at the end of most commands: their commit costs no flush. Power loss may lose the last commands, never the file. PATH-wal belongs to it.
 * The command that makes the file has nothing to keep for others to read: it writes past a log, which would hold all of it once more, and leaves one behind. */
static bool configure(struct lab *lab, bool writing, struct err *err)
{
	sqlite3_busy_timeout(lab->db, BUSY_MS);
	sqlite3_db_config(lab->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(lab->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(lab->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_wal_hook(lab->db, committed, lab);
	if (!writing)
		return true;
	if (store_number(lab, "PRAGMA page_count", 1) == 0 && !store_run(lab, "PRAGMA page_size=8192", "cannot be made", err))
		return false;
	return store_run(lab, "PRAGMA synchronous=NORMAL", "cannot be opened", err);
}

/* Who is in the way lets the next command begin the log. */
bool store_commit(struct lab *lab, struct err *err)
{
	if (!store_run(lab, "COMMIT", "cannot be written", err))
		return false;
	sqlite3_exec(lab->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
	return true;
}

static bool open_file(struct lab *lab, enum lab_mode mode, struct err *err)
{
	bool exists = access(lab->path, F_OK) == 0;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == LAB_READ ? 0 : SQLITE_OPEN_CREATE);
	struct where w = { .file = lab->path };

	if (!exists && mode < LAB_CREATE)
		return err_add(err, ERR_INPUT, &w, "no lab there: podwire init or apply makes one, -f asks about manifests without one");
	if (sqlite3_open_v2(lab->path, &lab->db, flags, NULL) != SQLITE_OK)
		return err_add(err, ERR_INPUT, &w, "cannot be opened: %s", sqlite3_errmsg(lab->db));
	return true;
}

static bool begin(struct lab *lab, enum lab_mode mode, struct err *err)
{
	bool writing = mode != LAB_READ;

	if (!configure(lab, writing, err))
		return false;
	if (!store_run(lab, writing ? "BEGIN IMMEDIATE" : "BEGIN", "cannot be opened", err))
		return false;
	lab->writing = writing;
	if (!schema_ready(lab, writing, err))
		return false;
	lab->input = store_number(lab, "SELECT max(nr) FROM input", 0);
	if (mode == LAB_NEW && lab->input)
		return err_add(err, ERR_INPUT, &(struct where){ .file = lab->path }, "holds a lab already: remove the file, or name another with --lab");
	return true;
}

void lab_setup(void)
{
	sqlite3_config(SQLITE_CONFIG_MULTITHREAD);      /* no connection has two threads */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct lab *lab_open(const char *path, enum lab_mode mode, bool *fresh, struct err *err)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab || !(lab->path = strdup(path)))
		abort();
	if (!open_file(lab, mode, err) || !begin(lab, mode, err)) {
		lab_close(lab);
		return NULL;
	}
	if (fresh)
		*fresh = lab->input == 0;
	return lab;
}

/* Only emptied does the log begin anew: a process that comes later does not know what of it is in the file. Who is in the way lets the next command do it. */
static void empty_log(struct lab *lab)
{
	sqlite3_busy_timeout(lab->db, 0);
	sqlite3_wal_checkpoint_v2(lab->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

void lab_close(struct lab *lab)
{
	if (!lab)
		return;
	if (lab->db && lab->frames > FRAMES_MOST && sqlite3_get_autocommit(lab->db))
		empty_log(lab);
	sqlite3_close_v2(lab->db);
	free(lab->flags);
	free(lab->path);
	free(lab);
}

bool lab_pack(struct lab *lab, struct err *err)
{
	if (lab->writing)
		return store_failed(lab, "cannot be packed within a command", err);
	sqlite3_exec(lab->db, "ROLLBACK", NULL, NULL, NULL);
	return store_run(lab, "PRAGMA wal_checkpoint(TRUNCATE)", "cannot be packed", err);
}
